source (path dirname (status filename))/svckit.fish

# Ids of tasks that others may wait for.
function __task_submit_ids
    task-status -q (__svckit_place) -o '%{id}' 2>/dev/null
end

complete -c task-submit -f
complete -c task-submit -s d -l data -x -d 'The task'
complete -c task-submit -s s -l service -x -a '(__svckit_services)' -d 'Of tasks that name none'
complete -c task-submit -s i -l id -x -d 'The id of the task'
complete -c task-submit -l unique -d 'The content makes the id'
complete -c task-submit -l priority -x -d 'Greater ones go first'
complete -c task-submit -l after -x -a '(__task_submit_ids)' -d 'It waits for that task'
complete -c task-submit -l not-before -x -d 'Not before that time'
complete -c task-submit -l deadline -x -d 'Of no use after that'
complete -c task-submit -l retries -x -d 'After a failure'
complete -c task-submit -l hold -d 'Nobody takes it before it is released'
complete -c task-submit -s w -l wait -d 'Print what came of them'
complete -c task-submit -s T -l timeout -x -d 'Wait not longer than that'
complete -c task-submit -s k -l keep-order -d 'Print in the order of the input'
complete -c task-submit -s o -l output -x -a 'json result' -d 'Output format'
complete -c task-submit -s n -l dry-run -d 'Print what would be stored'
complete -c task-submit -s L -l text -d 'Lines are text'
complete -c task-submit -l bare -d 'Each line is a task'
complete -c task-submit -l max-task -x -d 'The largest task'
complete -c task-submit -s R -l registry -x -a '(__fish_complete_directories)' -d 'The registry'
complete -c task-submit -s v -l verbose -d 'Say more'
complete -c task-submit -s q -l quiet -d 'Say less'
complete -c task-submit -s h -l help -d 'Print help and exit'
complete -c task-submit -s V -l version -d 'Print the version and exit'
