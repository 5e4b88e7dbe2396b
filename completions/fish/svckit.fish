# What the fish completions of svckit's utilities share; each sources it from
# its own directory.  Live words come from svc-discover, of the registry that -R
# on the line or the environment names; whatever fails is silent.

# The arguments of -R on the line, as svc-discover takes them; letters that take
# no argument may stand before it.
function __svckit_place
    set -l words (commandline -opc)
    for i in (seq (count $words))
        set -l word $words[$i]
        if test "$word" = --registry; or string match -qr -- '^-[1aLknpqvw]*R$' $word
            test $i -lt (count $words); and printf '%s\n' -R $words[(math $i + 1)]
        else if string match -qr -- '^(--registry=|-[1aLknpqvw]*R).' $word
            printf '%s\n' -R (string replace -r -- '^(--registry=|-[1aLknpqvw]*R)' '' $word)
        end
    end
end

function __svckit_discover
    svc-discover -a -q (__svckit_place) $argv 2>/dev/null
end

function __svckit_services
    __svckit_discover --names
end

# Of the services on the line, whatever else stands there.
function __svckit_ids
    set -l names (__svckit_services)
    for word in (commandline -opc)[2..]
        contains -- $word $names; and __svckit_discover -o '%{id}' -- $word
    end
end

function __svckit_labels
    __svckit_discover -o tsv | cut -f 8 | string split , | string match -v '' | sort -u
end

# The arguments, as the next items of a list: what stands before the last comma
# stays.
function __svckit_list
    set -l before (commandline -ct | string replace -r -- '^--[a-z-]+=' '' | string replace -r '[^,]*$' '')
    for word in $argv
        printf '%s\n' "$before$word"
    end
end

function __svckit_fields
    printf '%s\n' service id address status reason utilization pinned reported \
        latency_ms checked age owner draining panic lease ttl capacity.slots capacity.cpu \
        capacity.mem accepts produces
    __svckit_labels | string replace -r '=.*' '' | sort -u | string replace -r '^' labels.
end

function __svckit_weights
    echo headroom
    __svckit_fields
end

function __svckit_order
    __svckit_fields
    __svckit_fields | string replace -r '^' -
end

# Conditions of --until: services first.
function __svckit_conditions
    for name in (__svckit_services)
        if string match -qr -- "$name=[a-z]*\$" (commandline -ct)
            printf '%s\n' $name={passing,warning,unknown,critical,draining,expired,gone}
        else
            echo $name=
        end
    end
end

# Whether "--" has come, and a command follows it.
function __svckit_has_command
    contains -- -- (commandline -opc)
end

function __svckit_command
    set -l words (commandline -opc)
    set -l at (contains -i -- -- $words)
    set -l command $words[(math $at + 1)..]
    complete -C "$(string join ' ' -- (string escape -- $command) (commandline -ct))"
end

function __svckit_names_instances
    string match -qr -- '^--(remove|renew|drain|undrain)$' (commandline -opc)
end

# Whether the service stands on the line already.
function __svckit_has_service
    set -l names (__svckit_services)
    for word in (commandline -opc)[2..]
        contains -- $word $names; and return 0
    end
    return 1
end
