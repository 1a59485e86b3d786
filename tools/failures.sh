# What the scripts beside it know of failures.

# Whether words (TEXT) are those of a full disk.
tells_full() {
  case $1 in *'No space left on device'* | *'Disk quota exceeded'*) return 0 ;; *) return 1 ;; esac
}

# Whether work in FOLDER failed for want of room there. Not every program says so, and some remove what they have half written.
lacked_room() {
  local folder=$1 text=$2 left
  tells_full "$text" && return
  left=$(df --output=avail -B1M "$folder" 2>/dev/null | tail -n 1)
  [ "${left:-1000}" -lt 50 ]
}
