source (path dirname (status filename))/svckit.fish

# Ids of tasks: of those that the option on the line can change.
function __task_status_ids
    set --local states -a
    for word in (commandline -opc)
        switch $word
            case --cancel
                set states --state waiting,held,running
            case --retry
                set states --state failed
            case --hold
                set states --state waiting
            case --release
                set states --state held
            case --purge
                set states --state done,failed
        end
    end
    task-status -q (__svckit_place) -o '%{id}' $states 2>/dev/null
end

complete -c task-status -f
complete -c task-status -a '(__task_status_ids)' -d Task
complete -c task-status -s s -l service -x -a '(__svckit_services)' -d 'Only tasks of this service'
complete -c task-status -l state -x -a '(__svckit_list waiting held running done failed)' -d 'Only tasks in these states'
complete -c task-status -s a -l all -d 'Also those that have ended'
complete -c task-status -s f -l follow -d 'Print what changes'
complete -c task-status -l count -d 'How many are in which state'
complete -c task-status -s o -l output -x -a 'json table tsv result' -d 'Output format'
complete -c task-status -l cancel -d 'End tasks that have not ended'
complete -c task-status -l retry -d 'Let failed tasks wait again'
complete -c task-status -l hold -d 'Keep waiting tasks from being claimed'
complete -c task-status -l release -d 'Let held tasks wait again'
complete -c task-status -l purge -d 'Remove tasks that have ended'
complete -c task-status -l older -x -d 'All that ended so long ago'
complete -c task-status -s n -l dry-run -d 'Print what would be changed'
complete -c task-status -s R -l registry -x -a '(__fish_complete_directories)' -d 'The registry'
complete -c task-status -s v -l verbose -d 'Say more'
complete -c task-status -s q -l quiet -d 'Say less'
complete -c task-status -s h -l help -d 'Print help and exit'
complete -c task-status -s V -l version -d 'Print the version and exit'
