# shellcheck shell=sh disable=SC2154 # settings.sh sets what is used here
# Puts what containers read of this clone and of the secrets' folder into volumes of the engine, which may be another
# machine's: each container sees what it needs and no more. For scripts that
# have sourced settings.sh. Makes the secrets that are absent.
ADMIN_PASSWORD=$(setting ADMIN_PASSWORD "") deploy/compose/make_secrets.sh "$secrets"

place_files() {
    staging=$(mktemp -d)
    put() { # volume, files of the secrets' folder
        volume=$1
        shift
        mkdir -p "$staging/$volume"
        for name in "$@"; do cp "$secrets/$name" "$staging/$volume/$name"; done
    }
    put postgres postgres_superuser_password postgres_password
    put valkey valkey.conf
    put api database_url redis_url secret_key admin_password
    put worker database_url redis_url secret_key
    put admin-ui redis_url secret_key
    put backup postgres_password
    put tls
    put edge
    if [ "$EDGE_TLS" = files ]; then
        for name in tls_certificate tls_key; do
            [ -s "$secrets/$name" ] || fail "EDGE_TLS=files: put the certificate with its chain into $secrets/tls_certificate and its key into $secrets/tls_key."
        done
        put tls tls_certificate tls_key
    fi
    cp deploy/compose/edge/* "$staging/edge"
    put grafana grafana_password
    put prometheus
    put alertmanager
    cp deploy/monitoring/prometheus.yml deploy/monitoring/rules.yml "$staging/prometheus"
    cp deploy/monitoring/alertmanager.yml "$staging/alertmanager"
    if [ -n "$(setting TELEGRAM_BOT_TOKEN)" ]; then
        sed -i 's/^  receiver: shown$/  receiver: telegram/' "$staging/alertmanager/alertmanager.yml"
        setting TELEGRAM_BOT_TOKEN >"$staging/alertmanager/bot_token"
        printf '  - name: telegram\n    telegram_configs:\n      - {bot_token_file: /opt/tripwire/bot_token, chat_id: %s, parse_mode: ""}\n' \
            "$(setting TELEGRAM_ADMIN_CHAT_ID)" >>"$staging/alertmanager/alertmanager.yml"
    fi
    mkdir -p "$staging/grafana/provisioning/datasources" "$staging/grafana/provisioning/dashboards" "$staging/grafana/dashboards"
    cp deploy/monitoring/grafana/datasource.yml "$staging/grafana/provisioning/datasources"
    cp deploy/monitoring/grafana/dashboards.yml "$staging/grafana/provisioning/dashboards"
    cp deploy/monitoring/dashboard.json "$staging/grafana/dashboards"
    mkdir -p "$staging/backup/deploy/backup" "$staging/backup/db"
    cp deploy/backup/*.sh deploy/backup/*.sql "$staging/backup/deploy/backup"
    cp db/schema.sql "$staging/backup/db"
    chmod -R a+rX "$staging" # a clone made under a private umask is its owner's alone
    # Fed by a pipe: nothing of it is an argument, and it works over ssh.
    tar --create --directory "$staging" . | docker compose --profile files run --rm --no-TTY --no-deps files >/dev/null 2>"$staging.log" || {
        cat "$staging.log" >&2
        rm -rf "$staging" "$staging.log"
        fail "The files of the containers could not be placed."
    }
    rm -rf "$staging" "$staging.log"
}
