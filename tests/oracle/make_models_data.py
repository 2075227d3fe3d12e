"""Draws the data of models/*.hbd from known truths.

    python tests/oracle/make_models_data.py

Writes models/NAME.csv (and NAME.branches.csv, NAME.TABLE.csv); data of sleepstudy and ratings,
whose originals are not shipped, go to tests/reference/NAME/data.csv. The true globals, as far as
the model has such, go to tests/reference/truths.json. Each set has a generator of
its own, so that adding one leaves the others as they are. Needs numpy.
"""

import csv
import json
import pathlib
import zlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETS = {}


def data_set(function):
    SETS[function.__name__] = function
    return function


def expit(x):
    return 1 / (1 + np.exp(-x))


def text(value):
    """As in a file: whole numbers whole, others to four places."""
    if isinstance(value, (str, int, np.integer)):
        return str(value)
    return repr(round(float(value), 4))


def write(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([text(value) for value in row] for row in rows)


def shipped(name):
    return ROOT / "models" / f"{name}.csv"


@data_set
def accidents(rng):
    rows = []
    for junction in range(1, 26):
        a = rng.normal(0.3, 0.6)
        for _ in range(rng.integers(6, 19)):
            traffic, wet = rng.lognormal(0, 0.4), rng.integers(0, 2)
            mean = round(traffic, 4) * np.exp(a + 0.4 * wet)
            rows.append([junction, rng.poisson(mean), traffic, wet])
    write(shipped("accidents"), ["junction", "accidents", "traffic", "wet"], rows)
    return {"alpha": 0.3, "beta": 0.4, "sigma": 0.6}


@data_set
def ticks(rng):
    rows = []
    for plot in range(1, 31):
        a, base = rng.normal(-2.5, 0.7), rng.uniform(200, 700)
        for _ in range(rng.integers(3, 16)):
            metres, height = rng.choice([20, 50, 100]), round(base + rng.normal(0, 20))
            mean = metres * np.exp(a - 0.6 * (height - 450) / 150)
            rows.append([f"p{plot:02}", rng.poisson(mean * rng.gamma(1.8) / 1.8), metres, height])
    write(shipped("ticks"), ["plot", "ticks", "metres", "height"], rows)
    heights = [row[3] for row in rows]
    return {
        "alpha": -2.5 - 0.6 * (np.mean(heights) - 450) / 150,
        "beta": -0.6 * np.std(heights, ddof=1) / 150,
        "sigma": 0.7,
        "phi": 1.8,
    }


@data_set
def trials(rng):
    rows = []
    for trial in range(1, 23):
        control, delta = rng.normal(-2.2, 0.5), rng.normal(-0.25, 0.15)
        for treated in (0, 1):
            patients = rng.integers(30, 900)
            deaths = rng.binomial(patients, expit(control + delta * treated))
            rows.append([trial, treated, patients, deaths])
    write(shipped("trials"), ["trial", "treated", "patients", "deaths"], rows)
    return {"mu": -2.2, "sigma": 0.5, "d": -0.25, "tau": 0.15}


@data_set
def litters(rng):
    rows = []
    for litter in range(1, 41):
        treated, born = litter % 2, rng.integers(5, 15)
        mu = (0.9, 0.74)[treated]
        alive = rng.binomial(born, rng.beta(mu * 6, (1 - mu) * 6))
        rows.append([litter, treated, born, alive])
    write(shipped("litters"), ["litter", "treated", "born", "alive"], rows)
    return {"mu": [0.9, 0.74], "kappa": 6}


@data_set
def exam(rng):
    items = ["add", "subtract", "multiply", "divide", "fraction", "power", "root", "limit"]
    b, a = np.linspace(-1.6, 1.8, len(items)), rng.lognormal(0, 0.4, len(items))
    rows = []
    for person in range(1, 41):
        theta = rng.normal()
        for i in rng.permutation(len(items))[: rng.integers(6, 9)]:
            rows.append([person, items[i], rng.binomial(1, expit(a[i] * (theta - b[i])))])
    write(shipped("exam"), ["person", "item", "correct"], rows)
    order = np.argsort(items)
    return {"b": b[order], "a": a[order]}


def ordered_logistic(rng, eta, cutpoints):
    return 1 + int(np.sum(rng.logistic(eta) > cutpoints))


@data_set
def survey(rng):
    questions = ["alone", "calm", "hurried", "proud", "tired", "useful"]
    a = rng.lognormal(0, 0.3, len(questions))
    c = np.sort(rng.normal(0, 1.5, (len(questions), 3)))
    rows = []
    for person in range(1, 41):
        theta = rng.normal()
        for q, question in enumerate(questions):
            if rng.random() < 0.9:
                rows.append([person, question, ordered_logistic(rng, a[q] * theta, c[q])])
    write(shipped("survey"), ["person", "question", "answer"], rows)
    return {"a": a, "c": c}


@data_set
def survival(rng):
    rows = []
    for clinic in range(1, 21):
        frailty = rng.gamma(4) / 4
        for _ in range(rng.integers(4, 26)):
            treated = rng.integers(0, 2)
            scale = np.exp(-(-1.2 - 0.5 * treated + np.log(frailty)) / 1.4)
            years, end = scale * rng.weibull(1.4), rng.uniform(1, 5)
            rows.append([clinic, max(min(years, end), 0.01), int(years <= end), treated])
    write(shipped("survival"), ["clinic", "years", "died", "treated"], rows)
    return {"shape": 1.4, "alpha": -1.2, "beta": -0.5, "nu": 4}


@data_set
def tasting(rng):
    c = np.array([-1.8, 0.4, 2.2, 3.6])
    rows = []
    for judge in range(1, 19):
        b, s = rng.normal(0, 1), rng.normal(1.6, 0.5)
        for _ in range(2):
            for warm in (0, 1):
                for contact in (0, 1):
                    rating = ordered_logistic(rng, b + s * warm + 0.9 * contact, c)
                    rows.append([judge, warm, contact, rating])
    write(shipped("tasting"), ["judge", "warm", "contact", "rating"], rows)
    return {"c": c, "beta": [1.6, 0.9], "tau": [1, 0.5]}


@data_set
def trees(rng):
    rows = []
    for tree in range(1, 16):
        final, half = rng.lognormal(3, 0.25), rng.normal(5.5, 0.8)
        for age in np.sort(rng.choice(np.arange(1, 15), rng.integers(5, 11), replace=False)):
            girth = final * expit((age - half) / 1.7) + rng.normal(0, 0.4)
            rows.append([tree, age, max(girth, 0.1)])
    write(shipped("trees"), ["tree", "age", "girth"], rows)
    return {
        "mu_final": 3, "s_final": 0.25, "mu_half": 5.5, "s_half": 0.8, "pace": 1.7, "sigma": 0.4
    }


@data_set
def capture(rng):
    caught = rng.binomial(5, expit(rng.normal(-0.8, 0.9, 90)))
    seen = caught[caught > 0]
    y = np.concatenate([seen, np.zeros(160 - len(seen), dtype=int)])
    write(shipped("capture"), ["animal", "y"], [[k + 1, count] for k, count in enumerate(y)])
    return {"omega": 90 / 160, "p": expit(-0.8), "s": 0.9}


@data_set
def topics(rng):
    words = (
        "goal match team coach bank market price share virus cell gene drug play week plan win"
    ).split()
    phi = rng.dirichlet(np.full(len(words), 0.3), 3)
    rows = []
    for document in range(1, 31):
        chances = rng.dirichlet(np.full(3, 0.6)) @ phi
        counts = rng.multinomial(rng.integers(30, 80), chances)
        rows += [[document, words[v], n] for v, n in enumerate(counts) if n > 0]
    write(shipped("topics"), ["document", "word", "count"], rows)
    levels = sorted({row[1] for row in rows})
    return {"phi": phi[:, [words.index(word) for word in levels]]}


@data_set
def studies(rng):
    rows = []
    for lab in range(1, 26):
        theta = 0.3 + 0.15 * rng.standard_t(2.5)
        for _ in range(rng.integers(1, 6)):
            se = round(rng.uniform(0.05, 0.3), 4)
            rows.append([f"lab {lab}", rng.normal(theta, se), se])
    write(shipped("studies"), ["lab", "effect", "se"], rows)
    return {"mu": 0.3, "tau": 0.15, "nu": 2.5}


@data_set
def radon(rng):
    counties = [f"county {k:02}" for k in range(1, 31)]
    uranium = rng.normal(0, 0.4, len(counties))
    rows = []
    for k, county in enumerate(counties):
        # Two counties have no houses and still count in the model.
        n = 0 if k in (4, 17) else rng.integers(1, 25)
        z = rng.normal(size=2)
        a = 1.5 + 0.3 * z[0] + 0.7 * uranium[k]
        b = -0.6 + 0.25 * (-0.3 * z[0] + 0.95 * z[1])
        for _ in range(n):
            floor = int(rng.random() < 0.2)
            rows.append([county, rng.normal(a + b * floor, 0.7), floor])
    rng.shuffle(rows)
    write(shipped("radon"), ["county", "log_radon", "floor"], rows)
    branches = list(zip(counties, uranium))
    rng.shuffle(branches)
    write(ROOT / "models/radon.branches.csv", ["county", "log_uranium"], branches)
    return {
        "mu": [1.5 + 0.7 * np.mean(uranium), -0.6],
        "gamma": 0.7,
        "tau": [0.3, 0.25 * np.hypot(0.3, 0.95)],
        "rho": -0.3 / np.hypot(0.3, 0.95),
        "sigma": 0.7,
    }


@data_set
def films(rng):
    ids = np.sort(rng.choice(np.arange(1, 2000), 40, replace=False))
    feature = np.round(rng.normal(0, 1, (len(ids), 3)), 4)
    rows = []
    for user in range(1, 31):
        z = rng.normal([0.5, 0, -0.4], [0.8, 0.5, 0.6])
        for k in rng.choice(len(ids), rng.integers(8, 30), replace=False):
            rows.append([user, ids[k], rng.binomial(1, expit(feature[k] @ z))])
    write(shipped("films"), ["user_id", "movie_id", "liked"], rows)
    table = [[key, *values] for key, values in zip(ids, feature)]
    write(ROOT / "models/films.movies.csv", ["movie_id", "pc1", "pc2", "pc3"], table)
    return {"mu": [0.5, 0, -0.4], "tau": [0.8, 0.5, 0.6], "L": np.eye(3)}


@data_set
def moods(rng):
    rows = []
    for person in range(1, 26):
        mu, phi = rng.normal(5, 1), np.tanh(rng.normal(0.5, 0.3))
        mood = rng.normal(mu, 0.8 / np.sqrt(1 - phi**2))
        for day in range(1, rng.integers(12, 30)):
            rows.append([person, day, mood])
            mood = mu + phi * (mood - mu) + rng.normal(0, 0.8)
    rng.shuffle(rows)
    write(shipped("moods"), ["person", "day", "mood"], rows)
    return {"m": 5, "s": 1, "m_r": 0.5, "s_r": 0.3, "sigma": 0.8}


@data_set
def tracking(rng):
    mu, sigma, P = [-1.0, 1.2], [0.6, 0.4], [[0.8, 0.2], [0.3, 0.7]]
    rows = []
    for animal in range(1, 16):
        a, state = rng.normal(0, 0.3), rng.integers(0, 2)
        for hour in range(rng.integers(20, 45)):
            rows.append([f"wolf {animal}", hour, rng.normal(mu[state] + a, sigma[state])])
            state = rng.choice(2, p=P[state])
    write(shipped("tracking"), ["animal", "hour", "log_speed"], rows)
    return {"mu": mu, "sigma": sigma, "P": P, "tau": 0.3}


@data_set
def sleepstudy(rng):
    rows = []
    for subject in range(301, 309):
        a, b = rng.normal(250, 25), rng.normal(10, 6)
        rows += [[subject, day, rng.normal(a + b * day, 25)] for day in range(10)]
    path = ROOT / "tests/reference/sleepstudy/data.csv"
    write(path, ["Subject", "Days", "Reaction"], rows)


@data_set
def ratings(rng):
    rows = []
    for user in (1, 2, 9, 10):
        for _ in range(rng.integers(3, 9)):
            genres = rng.binomial(1, 0.15, 19)
            rows.append([user, rng.integers(0, 2), *genres])
    header = ["userId", "like", *(f"g_{k:02}" for k in range(1, 20))]
    write(ROOT / "tests/reference/ratings/data.csv", header, rows)


def plain(value):
    """Numbers and lists of them, to nine places."""
    return np.round(np.asarray(value, dtype=float), 9).tolist()


def main():
    truths = {}
    for name, draw in SETS.items():
        truth = draw(np.random.default_rng(zlib.crc32(name.encode())))
        if truth is not None:
            truths[name] = {variable: plain(value) for variable, value in truth.items()}
    lines = ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in truths.items())
    (ROOT / "tests/reference/truths.json").write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
