#!/bin/sh
# A version on a cluster: deploy/kubernetes/deploy.sh OVERLAY VERSION [--dry-run]. Migrates, applies, waits for each Deployment,
# and takes all of them back where one does not become ready. REGISTRY: what stands before the images' names, with its slash.
set -eu
cd "$(dirname "$0")"
overlay=${1:-} version=${2:-} dry_run=${3:-}
[ -d "overlays/$overlay" ] && [ -n "$version" ] || {
    echo "usage: deploy.sh small|large VERSION [--dry-run]" >&2
    exit 2
}
case $version in *[!a-z0-9.-]* | .* | -*)
    echo "VERSION may hold small letters, digits, dots and dashes." >&2
    exit 2
    ;;
esac
manifests() {
    kubectl kustomize "overlays/$overlay" |
        sed -E -e "s#image: (tripwire-[a-z-]+):.*#image: ${REGISTRY:-}\1:$version#" \
            -e "/name: TRIPWIRE_VERSION\$/{n;s#value: .*#value: \"$version\"#;}"
}
job() {
    sed -e "s#VERSION#$version#" -e "s#image: tripwire#image: ${REGISTRY:-}tripwire#" migrate.yaml
}
if [ -n "$dry_run" ]; then
    job
    echo ---
    manifests
    exit 0
fi
echo "Migrating"
kubectl delete --ignore-not-found --namespace tripwire "job/migrate-$version"
job | kubectl apply --filename -
done_or_failed() { # seconds: the Job's end, whichever it is
    end=$(($(date +%s) + $1))
    while [ "$(date +%s)" -lt "$end" ]; do
        case $(kubectl get --namespace tripwire "job/migrate-$version" --output 'jsonpath={.status.conditions[*].type}') in
            *Complete*) return 0 ;;
            *Failed*) return 1 ;;
        esac
        sleep 2
    done
    return 1
}
done_or_failed 600 || {
    echo "The migrations failed; the services were not touched: kubectl logs --namespace tripwire job/migrate-$version" >&2
    exit 1
}
revision() { # of a Deployment; empty where there is none yet
    kubectl get --namespace tripwire --ignore-not-found "deployment/$1" \
        --output 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}'
}
before_api=$(revision api) before_admin_ui=$(revision admin-ui) before_worker=$(revision worker)
take_back() { # name, revision: nothing where it was not changed, or is new
    [ -z "$2" ] || [ "$2" = "$(revision "$1")" ] || kubectl rollout undo --namespace tripwire "deployment/$1" --to-revision="$2"
}
echo "Applying $version"
manifests | kubectl apply --filename -
for name in api admin-ui worker; do
    kubectl rollout status --namespace tripwire --timeout=300s "deployment/$name" || {
        echo "$name does not become ready: all go back to the version before" >&2
        take_back api "$before_api"
        take_back admin-ui "$before_admin_ui"
        take_back worker "$before_worker"
        exit 1
    }
done
echo "Version $version runs"
