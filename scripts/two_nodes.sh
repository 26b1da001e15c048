#!/usr/bin/env bash
# A Ray cluster of two nodes on this machine, to try runs that share no disk with their driver.
#
#   scripts/two_nodes.sh start FOLDER [PROJECT]   a head without CPUs, then two nodes of one CPU
#   scripts/two_nodes.sh stop FOLDER
#
# Each node sees an empty folder where PROJECT is, and has a cache of its own ($ALO_NODE_DIR in
# FOLDER). Where mounts are not allowed, nodes run as the user `nobody`, who must not be able to
# read PROJECT, and must be able to read PYTHON with all that it imports. What a driver needs to
# reach the cluster is in FOLDER/driver.env.
#
# PYTHON names the interpreter that has Ray and ALO (python3), HEAD_PORT and CLIENT_PORT the head's
# ports. One node is started after the other: two at one moment on one machine lose one.
set -eum # each node is a process group
trap '' HUP
command=${1:-} folder=$(realpath -m "${2:?a folder}") project=${3:-}
PYTHON=${PYTHON:-python3}
START_S=${START_S:-180}

start_ray() { # NAME ARGS...: as try_ray, again where a crowded machine was too slow for Ray
  try_ray "$@" || try_ray "$@" || try_ray "$@" && return
  echo "$1 did not start:" >&2
  tail -n 20 "$folder/$1/out" >&2
  return 1
}

try_ray() { # NAME ARGS...: run `ray start` until it is stopped, and wait until it is up
  local name=$1 cache
  shift
  mkdir -p "$folder/$name"
  cache=$(realpath -m "$folder/$name/cache")
  : >"$folder/$name/out"
  ALO_NODE_DIR=$cache "${as[@]}" "$PYTHON" -m ray.scripts.scripts start \
    --block --disable-usage-stats --object-store-memory=150000000 --include-log-monitor=False \
    --temp-dir="$short/$name" "$@" </dev/null >>"$folder/$name/out" 2>&1 9>&- &
  echo $! >"$folder/$name/pid"
  for _ in $(seq "$((START_S * 5))"); do
    grep -q 'Ray runtime started' "$folder/$name/out" && return
    kill -0 "$(cat "$folder/$name/pid")" 2>/dev/null || break
    sleep 0.2
  done
  end_ray "$name"
  return 1
}

end_ray() { # NAME
  local pid
  pid=$(cat "$folder/$1/pid" 2>/dev/null) || return 0
  kill -TERM -- "-$pid" 2>/dev/null || return 0
  for _ in $(seq 50); do
    kill -0 -- "-$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL -- "-$pid" 2>/dev/null || true
}

hide_project() { # how a node is started so that it cannot see the project
  [ -n "$project" ] || return 0
  mkdir -p "$folder/empty"
  local hide='mount --bind "$0" "$1" && shift && exec "$@"'
  local way
  for way in 'unshare --mount' 'unshare --user --map-root-user --mount'; do
    if $way sh -c 'mount --bind "$0" "$1"' "$folder/empty" "$project" 2>/dev/null; then
      # shellcheck disable=SC2206  # the words of a command
      as=($way sh -c "$hide" "$folder/empty" "$project")
      return 0
    fi
  done
  as_nobody
}

as_nobody() { # nodes see nothing of the project, as they may not read it
  local own name
  own=$(mktemp -d "$short/nobody-XXXXXX") # FOLDER may be below one that nobody can enter
  chmod 711 "$short"
  chown nobody "$own"
  as=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups env -C "$own" "HOME=$own")
  for name in node1 node2; do
    mkdir -p "$own/$name-cache" "$short/$name" "$folder/$name"
    chown nobody "$own/$name-cache" "$short/$name"
    rm -rf "$folder/$name/cache"
    ln -s "$own/$name-cache" "$folder/$name/cache"
  done
  if "${as[@]}" test -r "$project"; then
    echo "mounts are not allowed here, and nobody can read $project: chmod 700 it" >&2
    return 1
  fi
  if ! "${as[@]}" "$PYTHON" -c "import alo, ray"; then
    echo "mounts are not allowed here, and nobody cannot use $PYTHON with ray and alo" >&2
    return 1
  fi
}

start() {
  mkdir -p "$folder"
  exec 9>/tmp/alo-two-nodes.lock
  flock 9
  short=$(mktemp -d /tmp/ray2-XXXXXX) # sockets have short paths
  echo "$short" >"$folder/sockets"
  local head=${HEAD_PORT:-26379} client=${CLIENT_PORT:-20001}
  as=()
  RAY_AUTH_TOKEN=$("$PYTHON" -c 'import secrets; print(secrets.token_hex(32))')
  export RAY_AUTH_TOKEN RAY_AUTH_MODE=token
  start_ray head --head --num-cpus=0 --port="$head" --ray-client-server-port="$client" \
    --node-ip-address=127.0.0.1 --include-dashboard=False --no-monitor || return
  (umask 077 && printf 'RAY_AUTH_MODE=token\nRAY_AUTH_TOKEN=%s\nADDRESS=ray://127.0.0.1:%s\n' \
    "$RAY_AUTH_TOKEN" "$client" >"$folder/driver.env")
  hide_project || return
  start_ray node1 --address="127.0.0.1:$head" --num-cpus=1 || return
  start_ray node2 --address="127.0.0.1:$head" --num-cpus=1
}

stop() {
  local name
  for name in node2 node1 head; do end_ray "$name"; done
  [ -f "$folder/sockets" ] && rm -rf "$(cat "$folder/sockets")"
  rm -f "$folder"/*/pid "$folder/sockets"
}

case $command in
  start) start || { stop; exit 1; } ;;
  stop) stop ;;
  *) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
