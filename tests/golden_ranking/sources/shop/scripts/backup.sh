#!/usr/bin/env bash
# Nightly backup of the shop's database.
set -euo pipefail

# Dump the database, compress it, and name the file after the day.
dump_database() {
  local target="$1/shop-$(date +%F).sql.gz"
  pg_dump shop | gzip > "$target"
}

# Delete archives older than thirty days.
prune_old_archives() {
  find "$1" -name 'shop-*.sql.gz' -mtime +30 -delete
}

dump_database "$BACKUP_FOLDER"
prune_old_archives "$BACKUP_FOLDER"
