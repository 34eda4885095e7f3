# fish completion for smsend(1)
function __smsend_who
    smcontact list 2>/dev/null | awk '{ print $1 }'
end
complete -c smsend -s s -l subject -x -d 'give it a subject'
complete -c smsend -s n -l name -x -d 'name the content'
complete -c smsend -s m -l type -x -d 'say of what type the content is'
complete -c smsend -s i -l identity -r -F -d 'use the identity in FILE instead of the profile'
complete -c smsend -l id -x -d 'send under KEY: the same bytes under it are stored once'
complete -c smsend -l unsigned -d 'send it without a signature'
complete -c smsend -l json -d 'say what was sent, as one JSON object'
complete -c smsend -s q -l quiet -d 'no warnings'
complete -c smsend -s v -l verbose -d 'say more'
complete -c smsend -l profile -x -d 'use the profile NAME'
complete -c smsend -l passphrase-file -r -F -d 'read the passphrase from FILE'
complete -c smsend -l passphrase-fd -x -d 'read the passphrase from descriptor N'
complete -c smsend -s h -l help -d 'show this and exit'
complete -c smsend -l version -d 'show the version and exit'
complete -c smsend -a '(__smsend_who)'
