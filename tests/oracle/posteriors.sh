#!/usr/bin/env bash
# Reference posteriors of models/: tests/reference/NAME/posterior.json, drawn by tests/oracle/nuts.
#
#     tests/oracle/posteriors.sh [NAME...]          all by default, some minutes each at most
#     SLEEPSTUDY=sleepstudy.csv tests/oracle/posteriors.sh sleepstudy
#
# Data are those beside the models; those of sleepstudy (lme4, GPL) are not shipped and named by
# SLEEPSTUDY. That of litters comes from litters_posterior.py, by quadrature. `ratings` has none:
# its data are not shipped, and the rows drawn for tests are too few for 250 globals.
set -euo pipefail
cd "$(dirname "$0")/../.."

build=(cargo build --quiet --release --manifest-path tests/oracle/nuts/Cargo.toml)
target=${CARGO_TARGET_DIR:-tests/oracle/nuts/target}

run() {
  local name=$1
  shift
  [[ -z "$chosen" || " $chosen " == *" $name "* ]] || return 0
  echo "$name" >&2
  "$target/release/hbdc-nuts" "models/$name.hbd" --out "tests/reference/$name/posterior.json" "$@"
}

# The data beside the model.
own() {
  local name=$1
  shift
  run "$name" --data "models/$name.csv" "$@"
}

"${build[@]}"
chosen="$*"

own eight_schools --scale theta=mu,tau
own seeds --scale b=0,sigma
own rats
own accidents
own ticks
own trials --scale delta=d,tau
own studies --scale theta=mu,tau
own capture --scale eps=p,s
own radon --branches models/radon.branches.csv --scale b=mu,tau
own films --table movies=models/films.movies.csv --scale z=mu,tau \
  --accept 0.98 --draws 6000
own moods --scale r=m_r,s_r
own tasting --scale b=0,tau[1] --scale s=beta[1],tau[2]
own trees
own survival
own exam
own survey
own tracking --scale a=0,tau
# Topics can be numbered in six ways.
own topics --exchangeable phi,theta --warmup 1000 --draws 2500
if [[ -n "${SLEEPSTUDY:-}" ]]; then
  run sleepstudy --data "$SLEEPSTUDY"
fi
