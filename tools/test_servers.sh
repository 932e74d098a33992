#!/usr/bin/env bash
# Starts private servers for tests: MariaDB, Redis, and MySQL 8+ where DEEPPOOL_MYSQLD is the command (without
# options) that runs its mysqld.
# They are for tests alone: no root, no system service, no fsync, nothing but loopback and a socket.
#   tools/test_servers.sh start DIR    prints `export DEEPPOOL_TEST_MARIADB=...` lines to eval
#   tools/test_servers.sh stop DIR     stops by pid what start began; DIR is the caller's to remove
# A server that cannot be had is named on stderr and leaves its variable unset: its tests are skipped.
set -euo pipefail

action=${1:-}
dir=${2:-}
if [[ ! $action =~ ^(start|stop)$ || -z $dir ]]; then
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

say() { echo "test_servers: $*" >&2; }

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# A throw-away authority, and a certificate of the server for 127.0.0.1.
make_certificates() {
  local to=$1
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=DeepPool test CA" \
    -keyout "$to/ca.key" -out "$to/ca.pem" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=127.0.0.1" \
    -keyout "$to/server.key" -out "$to/server.csr" 2>/dev/null
  openssl x509 -req -in "$to/server.csr" -CA "$to/ca.pem" -CAkey "$to/ca.key" -CAcreateserial -days 2 \
    -extfile <(echo "subjectAltName=IP:127.0.0.1") -out "$to/server.pem" 2>/dev/null
}

start_mariadb() {
  local server base="$dir/mariadb" socket port pid
  server=$(PATH="$PATH:/usr/sbin" command -v mariadbd) || { say "no mariadbd; MariaDB tests are skipped"; return; }
  # A socket path has at most 107 bytes.
  socket="$base/s"
  if ((${#socket} > 100)); then say "$dir is too long a path for a socket"; exit 1; fi
  mkdir -p "$base"
  PATH="$PATH:/usr/sbin" mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$base/data" \
    --auth-root-authentication-method=normal --skip-test-db >"$base/install.log" 2>&1 ||
    { say "mariadb-install-db failed:"; tail -5 "$base/install.log" >&2; exit 1; }
  make_certificates "$base"
  port=$(free_port)
  # Relaxed durability: what a test needs is speed, a crash of the machine is not its subject.
  "$server" --no-defaults --user="$(id -un)" --datadir="$base/data" --socket="$socket" \
    --bind-address=127.0.0.1 --port="$port" --pid-file="$base/pid" --log-error="$base/error.log" \
    --innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync --skip-innodb-doublewrite \
    --sync-binlog=0 --innodb-buffer-pool-size=128M --innodb-log-file-size=64M --skip-log-bin \
    --ssl-ca="$base/ca.pem" --ssl-cert="$base/server.pem" --ssl-key="$base/server.key" \
    --performance-schema=OFF --max-connections=300 --skip-name-resolve </dev/null >/dev/null 2>&1 &
  pid=$!
  echo "$pid" >"$base/server.pid"
  await_socket "$pid" "$base" "$socket"
  echo "export DEEPPOOL_TEST_MARIADB=unix:$socket:root"
  echo "export DEEPPOOL_TEST_MARIADB_TLS=127.0.0.1:$port:root:$base/ca.pem"
}

start_mysql() {
  local base="$dir/mysql" program pid
  [[ -n ${DEEPPOOL_MYSQLD-} ]] || return 0
  read -ra program <<<"$DEEPPOOL_MYSQLD"
  mkdir -p "$base"
  "${program[@]}" --no-defaults --initialize-insecure --user="$(id -un)" --datadir="$base/data" \
    >"$base/install.log" 2>&1 || { say "mysqld --initialize failed:"; tail -5 "$base/install.log" >&2; exit 1; }
  "${program[@]}" --no-defaults --user="$(id -un)" --datadir="$base/data" --socket="$base/s" --mysqlx=OFF \
    --bind-address=127.0.0.1 --port="$(free_port)" --pid-file="$base/pid" --secure-file-priv=NULL \
    --innodb-flush-log-at-trx-commit=0 --skip-log-bin </dev/null >"$base/error.log" 2>&1 &
  pid=$!
  echo "$pid" >"$base/server.pid"
  await_socket "$pid" "$base" "$base/s"
  echo "export DEEPPOOL_TEST_MYSQL=unix:$base/s:root"
}

start_redis() {
  local server base="$dir/redis" port tls_port pid
  server=$(command -v redis-server) || { say "no redis-server; Redis tests are skipped"; return; }
  mkdir -p "$base"
  make_certificates "$base"
  port=$(free_port)
  tls_port=$(free_port)
  "$server" --bind 127.0.0.1 --port "$port" --unixsocket "$base/s" --dir "$base" --pidfile "$base/pid" \
    --save "" --appendonly no --daemonize no --databases 1024 --logfile "$base/error.log" \
    --tls-port "$tls_port" --tls-cert-file "$base/server.pem" --tls-key-file "$base/server.key" \
    --tls-ca-cert-file "$base/ca.pem" --tls-auth-clients no \
    </dev/null >/dev/null 2>&1 &
  pid=$!
  echo "$pid" >"$base/server.pid"
  await_socket "$pid" "$base" "$base/s"
  echo "export DEEPPOOL_TEST_REDIS=127.0.0.1:$port"
  echo "export DEEPPOOL_TEST_REDIS_TLS=127.0.0.1:$tls_port:$base/ca.pem"
}

await_socket() {
  local pid=$1 base=$2 socket=$3
  for _ in $(seq 300); do
    [[ -S $socket && -s $base/pid ]] && return
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  say "the server in $base did not start:"
  tail -20 "$base/error.log" >&2
  exit 1
}

stop_pid_file() {
  local file=$1 pid
  [[ -s $file ]] || return 0
  pid=$(<"$file")
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$file"
}

case $action in
  start) start_mariadb; start_mysql; start_redis ;;
  stop) for server in mariadb mysql redis; do stop_pid_file "$dir/$server/server.pid"; done ;;
esac
