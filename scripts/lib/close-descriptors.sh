# Sourced by scripts/up: closes every descriptor but the three standard ones, whatever their numbers, so that
# what stays running after --detach holds none of the caller's (a lock, a pipe someone waits for).
for path in /proc/self/fd/* /dev/fd/*; do
  fd=${path##*/}
  case $fd in 0 | 1 | 2 | 255 | '*') ;; *) eval "exec $fd>&-" 2>/dev/null || true ;; esac
done
