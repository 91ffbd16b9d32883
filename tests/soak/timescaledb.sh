#!/usr/bin/env bash
# Builds TimescaleDB from Debian's sources (13, its Apache part) for Debian 12's PostgreSQL 15, beside a copy of that
# server, so that the machine's own stays as it is. Prints the folder of the server's programs, all else on stderr.
# Needs root on Debian 12. Argument: where to build it, by default beside the sandbox's servers.
set -euo pipefail

home=${1:-/var/cache/postgres-seren-replicator/timescaledb-15}
programs=$home/lib/postgresql/15/bin
if [ -x "$programs/postgres" ]; then
  printf '%s\n' "$programs"
  exit 0
fi
[ "$(id -u)" = 0 ] || { echo "run this as root: it installs packages" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
  apt-get update -qq
  # A server in its own package starts a cluster; only its programs are wanted.
  mkdir -p /etc/postgresql-common/createcluster.d
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/none.conf
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    postgresql-15 postgresql-server-dev-15 cmake make gcc libc6-dev dpkg-dev libssl-dev

  # The sources are a later Debian's, from the same archive as this machine's packages.
  archive=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 'Codename: bookworm' | head -1)
  echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive trixie main" >"$work/sources.list"
  mkdir -p "$work/lists/partial" "$work/source"
  chmod 755 "$work"
  later=(-o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$work/lists")
  apt-get "${later[@]}" update -qq
  (cd "$work/source" && apt-get "${later[@]}" source --download-only -qq timescaledb && dpkg-source -x ./*.dsc tree)

  cmake -S "$work/source/tree" -B "$work/build" -DAPACHE_ONLY=1 -DREGRESS_CHECKS=OFF -DCMAKE_BUILD_TYPE=Release \
    -DPG_CONFIG=/usr/lib/postgresql/15/bin/pg_config -DUSE_OPENSSL=0 -DWARNINGS_AS_ERRORS=OFF -DSEND_TELEMETRY_DEFAULT=NO
  make -C "$work/build" -j"$(nproc)"
  make -C "$work/build" install DESTDIR="$work/installed"

  # The server finds its other folders from where its program lies.
  mkdir -p "$work/home/lib/postgresql" "$work/home/share/postgresql"
  for part in lib share; do
    cp -a "/usr/$part/postgresql/15" "$work/home/$part/postgresql/"
    cp -a "$work/installed/usr/$part/postgresql/15/." "$work/home/$part/postgresql/15/"
  done
  mkdir -p "$(dirname "$home")"
  rm -rf "$home"
  chmod 755 "$work/home"
  mv "$work/home" "$home"
} >&2
printf '%s\n' "$programs"
