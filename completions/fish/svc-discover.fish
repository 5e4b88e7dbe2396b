source (path dirname (status filename))/svckit.fish
complete -c svc-discover -f
complete -c svc-discover -a '(__svckit_services)' -d Service
complete -c svc-discover -s l -l label -x -a '(__svckit_list (__svckit_labels))' -d 'Only instances that match'
complete -c svc-discover -l status -x -a '(__svckit_list passing warning unknown critical draining expired)' -d 'Only of these statuses'
complete -c svc-discover -l owner -x -a '(__fish_complete_users)' -d 'Only what this user registered'
complete -c svc-discover -s a -l all -d 'Also what gets no work'
complete -c svc-discover -s 1 -l one -d 'The first one only'
complete -c svc-discover -l sort -x -a '(__svckit_order)' -d 'By a member'
complete -c svc-discover -l names -d 'Names of services only'
complete -c svc-discover -s o -l output -x -a 'json table tsv address prometheus' -d 'Output format'
complete -c svc-discover -s w -l wait -d 'Until there is something'
complete -c svc-discover -s T -l timeout -x -d 'Give up waiting'
complete -c svc-discover -s R -l registry -x -a '(__fish_complete_directories)' -d 'The registry'
complete -c svc-discover -s v -l verbose -d 'Say more'
complete -c svc-discover -s q -l quiet -d 'Say less'
complete -c svc-discover -s h -l help -d 'Print help and exit'
complete -c svc-discover -s V -l version -d 'Print the version and exit'
