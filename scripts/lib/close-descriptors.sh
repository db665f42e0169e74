# Sourced by scripts/up: closes every descriptor but the three standard ones, whatever their numbers, so that
# what stays running after --detach holds none of the caller's (a lock, a pipe someone waits for). No redirection on the eval itself:
# bash would keep the saved descriptor at 10 or above and close it under its own feet. Closing what is not open is no error.
for path in /proc/self/fd/* /dev/fd/*; do
  fd=${path##*/}
  case $fd in 0 | 1 | 2 | 255 | '*') ;; *) eval "exec $fd>&-" ;; esac
done
