#!/bin/sh
# Makes the namespace and its search attributes, unless they are there.
set -eu

# The server answers before it can do everything, and sees a new namespace some seconds after it was made.
persist() {
  attempts=0
  until "$@"; do
    attempts=$((attempts + 1))
    [ "$attempts" -lt 30 ] || return 1
    sleep 2
  done
}

namespace() {
  temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 7d
}

attributes() {
  temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" \
    --name SlipwayService --type Keyword \
    --name SlipwayStep --type Keyword \
    --name SlipwayState --type Keyword \
    --name SlipwayResidue --type Bool
}

persist namespace
persist attributes
