"""Broken neural scaling laws: curves in, laws, forecasts and intervals out.

    >>> import bnsl
    >>> fit = bnsl.fit(tokens, loss, holdout=3)          # one curve: two arrays, lists or Series
    >>> fit.breaks, fit.parameters["c0"], fit.rmsle
    >>> fit.predict(1e12), fit.interval(1e12, 0.8)       # the forecast, with an interval of a measurement
    >>> fit.reach(2.5)                                   # the x at which the curve comes down to 2.5
    >>> print(fit)                                       # what it says, in sentences
    >>> fit.plot()                                       # with matplotlib

    >>> report = bnsl.fit(runs, x="tokens", y="val_loss", curve=["model", "task"])     # a DataFrame of many
    >>> report.save("report.json"); report = bnsl.load("report.json")

One file that needs no package: numpy, pandas and matplotlib are used where they are given. The engine is the tool bnsl, loaded into this process where .NET
is found and started as a program where it is not. Every call is one of the tool's, so that numbers, options and complaints are the tool's own, to the last bit.

Set BNSL_HOME to the folder that holds bnsl.dll or bnsl if it is not found, and BNSL_ENGINE to inprocess or process to choose; engine() says what is used.
``python -m bnsl`` is the tool itself: ``python -m bnsl fit --help`` lists every option.
"""

import codecs
import collections.abc
import ctypes
import glob
import gzip
import itertools
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import typing
import warnings
import zlib

__all__ = ["fit", "suite", "predict", "load", "engine", "CurveFit", "Report", "Interval", "Reach", "BnslError", "BnslWarning", "Interrupted"]


class BnslError(ValueError):
    """What the tool complains of, in its sentence: which curve, row or option, and what to do."""


class BnslWarning(UserWarning):
    """What the tool remarks on and goes on: copies of rows that were dropped, a device that failed."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a fit. ``report`` has what was found by then, as sys.last_value.report in a notebook; None where that is nothing."""

    report = None


class Interval(typing.NamedTuple):
    """Both ends, each a float, a list or an array as x was."""

    lower: typing.Any
    upper: typing.Any


class Reach(typing.NamedTuple):
    """The x at which a curve comes down to a level: with probability 1/2, and both ends of its interval; inf beyond 1000 times the last fitted x."""

    x: typing.Any
    lower: typing.Any
    upper: typing.Any


# What a user calls.


def fit(data=None, y=None, /, *, name=None, progress=None, **options):
    """Fits scaling curves and forecasts them.

    fit(x, y)                           one curve, of lists, numpy arrays or pandas Series; returns a CurveFit. x is [points], or [points, inputs]
                                        for a law of several inputs
    fit({name: (x, y), ...})            many curves; returns a Report
    fit(frame, x=..., y=..., curve=...) a DataFrame, or a dict of columns; the names of columns are those of the tool's CSV (x, y, curve and split are
                                        recognised), and curve may be several; returns a Report
    fit("runs.csv", x=..., y=...)       a file; returns a Report

    name        what the one curve is called
    progress    called with (stage, done, total) now and then; by default a line is shown on a terminal; False shows nothing
    options     those of ``bnsl fit``, with _ for -: ``python -m bnsl fit --help`` lists them all. The most common:

    holdout     3, the last 3 points of each curve, or 0.2, the last fifth: they are scored and not fitted
    breaks      numbers of breaks to fit side by side: 1, [0, 1, 2] or "0-3", the default
    law, loss   what is fitted and minimised: law="bnsl,m4", loss="huber"
    recipe      "forecast", the default; "least-squares", without its forecast and twice as fast; "paper"
    weight      how much each point counts; sigma (with sigma_of="y" or "log"), its standard deviation: an array, or a column's name
    split       for each point "fit" or "heldout"
    ceiling     a ceiling of y that is known: ceiling=1 fits 1 - accuracy
    fix, bound, tie, init    what is known of parameters: fix={"a": 0}, bound={"f": (0.05, 10), "d": (None, 1e6)}, tie="f", init={"c0": 0.1}
    skip_invalid             leaves out rows that are wrong, as with text for a number, instead of complaining of the first; points without a finite
                             number or with x <= 0 are always left out, with a BnslWarning
    keep_copies              keeps rows that are exact copies of another, which are dropped otherwise
    starts, missed, seed, threads, device, precision    how and where the search runs; see README. No result depends on threads
    report, plot             a page (report="runs.html") or a folder of SVG plots to write as well

    Results depend on the data, the options and the seed alone, and are the same to the last bit as those of ``bnsl fit``.

    Raises BnslError with a sentence that names the row or the option; Interrupted, a KeyboardInterrupt with a report, after Ctrl-C.

    >>> bnsl.fit([100, 200, 400, 800, 1600, 3200], [3.1, 2.6, 2.2, 1.9, 1.7, 1.55], breaks=[0, 1]).predict(1e4)
    """
    _refuse(options, "fit() returns the report and has no {}; Report.save writes it.")
    table = _Table(data, y, name, options)
    code, out, sentences = _call(["fit", *table.files, *_words(table.options), "--format", "json"], table.text, progress)
    report = Report(out.decode()) if out else None
    if code == 0:
        report.notes = _notes(sentences, table)
    elif code == 130:
        interrupted = Interrupted(*sentences[-1:])
        interrupted.report = report
        raise interrupted
    elif report is not None:
        reasons = [f"'{curve.name}': {' '.join(curve.warnings)}" for curve in report.values()]
        raise BnslError(f"no curve could be fitted. {reasons[0]}{f' And {len(reasons) - 1} more.' if len(reasons) > 1 else ''}")
    else:
        raise _error(sentences, table)
    return report[next(iter(report))] if table.is_one_curve else report


def suite(data, /, *, progress=None, **options):
    """Scores forecasts of the held-out points of many curves, of BNSL against M1 to M4.

    data        the name of a suite that the tool knows, "revisiting"; or curves as fit takes them
    options     those of ``bnsl suite``: holdout, law, only, data (here folder=, the files of a named suite), report="suite.html" ...

    Returns what ``bnsl suite --format json`` writes, as a dict. Raises as fit does.

    >>> scores = bnsl.suite("revisiting", only="IC|*")
    """
    _refuse(options, "suite() returns the scores and has no {}; json.dump writes them.")
    if "folder" in options:
        options["data"] = options.pop("folder")
    table = _Table(data, None, None, options)
    code, out, sentences = _call(["suite", *table.files, *_words(table.options), "--format", "json"], table.text, progress)
    if code == 130:
        raise Interrupted(*sentences[-1:])
    if code != 0:
        raise _error(sentences, table)
    _notes(sentences, table)
    return _numbers(json.loads(out))


def predict(report, x, **options):
    """The forecast at x: of a CurveFit as its predict; of a Report, {name: the same of each curve that has a fit}."""
    return report.predict(x, **options)


def load(path):
    """The Report that Report.save, ``bnsl fit --output`` or ``bnsl fit --format json`` wrote, packed with gzip or not. Raises BnslError if it is none, OSError if it cannot be read."""
    with open(path, "rb") as file:
        whole = file.read()
    try:
        if whole.startswith(b"\x1f\x8b"):
            whole = gzip.decompress(whole)
        return Report(whole.decode("utf-16" if whole.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"))
    except (ValueError, TypeError, KeyError, AttributeError, EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise BnslError(f"{path} is not a bnsl report. Save one with Report.save or bnsl fit and the format json.") from fault


def engine():
    """Where the engine runs, in words. Raises BnslError, with what to do, where there is none."""
    return _engine().description


# What a user gets.


class CurveFit:
    """One curve: the chosen fit with its rivals, and the forecast.

    name, law, breaks, loss         of the chosen fit; law, breaks and loss are None where nothing could be fitted: warnings say why
    parameters, standard_errors     dicts by the law's names; c, d and f are lists with a value a break; logB is the logarithm of b, which may overflow
    rmsle, rmsle_held_out           root mean square errors of log y at the points fitted and held out; nan where there is none
    fits                            every fit, a dict each, as in the JSON report (rmsle, aicc, bic, termination, segments, covariance, ...)
    sentences, warnings             what the fit says and what is odd about it
    x, y, x_held_out, y_held_out    the points, in ascending x; empty in a report that was saved without

    >>> low, high = fit.interval([1e10, 1e11], level=0.95)
    """

    def __init__(self, header, raw, points):
        self._header, self._raw = header, raw
        self._whole = _numbers(raw)
        chosen = self._whole["chosen"]
        best = {} if chosen is None else self._whole["fits"][chosen]
        self.name = raw["curve"]
        self.fits = self._whole["fits"]
        self.law, self.breaks, self.loss = best.get("law"), best.get("breaks"), best.get("loss")
        self.parameters, self.standard_errors = best.get("parameters"), best.get("standardErrors")
        self.rmsle = best["rmsle"]["fit"] if best else math.nan
        self.rmsle_held_out = best["rmsle"]["heldOut"] if best else math.nan
        self.sentences, self.warnings = raw["sentences"], [*raw["warnings"], *best.get("warnings", [])]
        self.x, self.y, self.x_held_out, self.y_held_out = points

    def predict(self, x, *, law=None, breaks=None):
        """y at x: of the forecast, or of the one fit that law and breaks name. x is a number, a list or an array, and y the same; with k inputs, [..., k]."""
        if law is None and breaks is None:
            options = {"interval": 50}  # The tool gives three; one costs less.
        else:
            options = {"law": law, "breaks": breaks}
        return _like(x, self._inputs, [row["y"] for row in self._ask(x, options)])

    def interval(self, x, level=0.8, of="measurement"):
        """The Interval that holds a new measurement at x with this probability; or the curve, with of="curve"."""
        rows = [list(row.values()) for row in self._ask(x, {"interval": _percent(level), "of": of})]
        return Interval(_like(x, self._inputs, [row[-2] for row in rows]), _like(x, self._inputs, [row[-1] for row in rows]))

    def reach(self, y, level=0.8):
        """The x at which the curve comes down to y, from the last fitted one on, as Reach: with probability 1/2, and its interval."""
        values = _flat(y, 1, "y")
        rows = [list(row.values()) for row in self._tool(values, "reach", {"interval": _percent(level)})]
        return Reach(*(_like(y, 1, [row[k] for row in rows]) for k in (-3, -2, -1)))

    def plot(self, ax=None, *, levels=(0.8, 0.95), ahead=10, points=200):
        """Draws the points, the forecast and its intervals of a measurement on logarithmic axes.

        ax          matplotlib's axes; by default new ones
        levels      of the intervals
        ahead       how far the forecast is drawn: so many times the largest x
        points      of the line

        Returns the axes.
        """
        import matplotlib.pyplot as plt
        from matplotlib.ticker import LogLocator

        self._needs_fit()
        if self._inputs > 1:
            raise BnslError(f"curve '{self.name}' has {self._inputs} inputs; plot draws one.")
        ax = plt.subplots()[1] if ax is None else ax
        last = (self._whole["forecast"] or {}).get("lastX", 1.0)
        seen = [value for value in itertools.chain(self.x, self.x_held_out, [last]) if value > 0]
        first, end = math.log(min(seen)), math.log(max(seen) * ahead)
        grid = [math.exp(first + (end - first) * i / (points - 1)) for i in range(points)]
        line, = ax.plot(grid, self.predict(grid), label="forecast", zorder=2)
        colour = line.get_color()
        # A forecast begins where the fitted points end.
        beyond = [value for value in grid if value >= last] if self._whole["forecast"] else []
        for level in sorted(levels, reverse=True) if beyond else ():
            low, high = self.interval(beyond, level)
            ax.fill_between(beyond, low, high, color=colour, alpha=0.15, linewidth=0, label=f"{_percent(level)} %", zorder=1)
        ax.plot(self.x, self.y, "o", color=colour, markersize=4, label="fitted", zorder=3)
        if len(self.x_held_out):
            ax.plot(self.x_held_out, self.y_held_out, "o", color=colour, markersize=4, markerfacecolor="white", label="held out", zorder=3)
        ax.set(xscale="log", yscale="log", xlabel=self._raw["xNames"][0], ylabel=self._raw["yName"], title=self.name)
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            if high < 200 * low:  # Powers of ten alone would be one label or none.
                axis.set_minor_locator(LogLocator(subs=(2, 5)))
                axis.set_major_formatter("{x:g}")
                axis.set_minor_formatter("{x:g}")
        ax.legend()
        return ax

    def to_dict(self):
        """What the JSON report says of this curve, numbers that are not finite as nan and inf."""
        return _numbers(self._raw)

    def to_json(self):
        """A report of this curve alone, as ``bnsl predict`` reads it."""
        return json.dumps({**self._header, "curves": [self._raw]}, ensure_ascii=False)

    @property
    def _inputs(self):
        return max(1, len(self._raw["xNames"]))

    def _needs_fit(self):
        if self.law is None:
            raise BnslError(f"curve '{self.name}' has no fit. {' '.join(self.warnings)}")

    def _ask(self, x, options):
        values = _flat(x, self._inputs, "x")
        return self._tool(["/".join(point) for point in zip(*[iter(values)] * self._inputs)], "x", options)

    def _tool(self, values, option, options):
        """The tool's rows of values, which are asked for as one line; a program's is short."""
        self._needs_fit()
        if self._raw["forecast"] is None and "interval" in options:
            if option == "reach" or "of" in options:
                raise BnslError(f"curve '{self.name}' has no forecast, and so no intervals: its law has several inputs or takes y of any sign. predict has y.")
            options = {}
        rows, text, most = [], self.to_json().encode(), _engine().most_values
        for i in range(0, len(values), most):
            code, out, sentences = _call(["predict", "-", f"--{option}={','.join(values[i:i + most])}", *_words(options), "--format", "json"], text, False)
            if code == 130:
                raise Interrupted(*sentences[-1:])
            if code != 0:
                raise _error(sentences, None)
            rows += _numbers(json.loads(out))
        return rows

    def __repr__(self):
        if self.law is None:
            return f"<bnsl.CurveFit {self.name!r}: no fit>"
        return f"<bnsl.CurveFit {self.name!r}: {self.law}, {self.breaks} break{'' if self.breaks == 1 else 's'}, RMSLE {self.rmsle:.4g}>"

    def __str__(self):
        return "\n".join([repr(self)[1:-1], *self.sentences, *("! " + warning for warning in self.warnings)])


class Report(collections.abc.Mapping):
    """A run of fit: {name: CurveFit} in the order of names, and what the run says of itself.

    notes       sentences: rows that were dropped or skipped; each was a BnslWarning as well

    >>> report["cifar"].predict(1e6); [fit.breaks for fit in report.values()]
    >>> report.to_frame().sort_values("rmsle_held_out")
    """

    def __init__(self, text):
        self._text = text
        self._whole = json.loads(text)
        if self._whole.get("tool") != "bnsl":
            raise ValueError("not a report of bnsl")
        header = {key: value for key, value in self._whole.items() if key != "curves"}
        self._curves = {curve["curve"]: CurveFit(header, curve, _points(curve)) for curve in self._whole["curves"]}
        self.notes = []

    def __getitem__(self, name):
        try:
            return self._curves[name]
        except KeyError:
            raise KeyError(f"there is no curve {name!r}; there are {', '.join(map(repr, itertools.islice(self._curves, 3)))}{', ...' if len(self) > 3 else ''}") from None

    def __iter__(self):
        return iter(self._curves)

    def __len__(self):
        return len(self._curves)

    def predict(self, x, **options):
        """{name: CurveFit.predict(x)} of every curve that has a fit."""
        return {name: curve.predict(x, **options) for name, curve in self._curves.items() if curve.law is not None}

    def to_frame(self):
        """A pandas DataFrame with a row a curve: law, breaks, errors and parameters; c, d and f of break 1 are c1, d1 and f1."""
        import pandas

        rows = []
        for curve in self.values():
            row = {"curve": curve.name, "law": curve.law, "breaks": curve.breaks, "rmsle": curve.rmsle, "rmsle_held_out": curve.rmsle_held_out}
            for name, value in (curve.parameters or {}).items():
                row.update({f"{name}{i + 1}": one for i, one in enumerate(value)} if isinstance(value, list) else {name: value})
            rows.append(row)
        return pandas.DataFrame(rows).set_index("curve")

    def to_dict(self):
        """The JSON report, numbers that are not finite as nan and inf."""
        return _numbers(self._whole)

    def to_json(self):
        """The JSON report, as the tool wrote it."""
        return self._text

    def save(self, path):
        """Writes the JSON report, whole or not at all; load and ``bnsl predict`` read it."""
        beside = f"{os.fspath(path)}.{os.getpid()}"
        try:
            with open(beside, "w", encoding="utf-8", newline="\n") as file:
                file.write(self._text)
            os.replace(beside, path)
        except BaseException:
            if os.path.exists(beside):
                os.remove(beside)
            raise

    def __repr__(self):
        lines = [f"  {curve!r}" for curve in itertools.islice(self.values(), 20)]
        more = [f"  ... and {len(self) - 20} more"] if len(self) > 20 else []
        return "\n".join([f"<bnsl.Report of {len(self)} curve{'' if len(self) == 1 else 's'}", *lines, *more]) + ">"


# From what a user gives to what the tool reads.


class _Table:
    """Curves as the tool reads them: files it opens itself, or CSV with every digit."""

    def __init__(self, data, y, name, options):
        self.options, self.text, self.files, self.is_one_curve, self.curves = dict(options), b"", ["-"], False, {}
        if data is None:
            data, y = (self.options.pop(key, part) for key, part in (("x", None), ("y", y)))
        if data is None:
            raise BnslError("there are no data: expected x and y, a dict of curves, a DataFrame or the name of a file.")
        if isinstance(data, (str, os.PathLike)):
            self.files = [os.fspath(data)]
            if y is not None or name is not None:
                raise BnslError(f"'{self.files[0]}' is a file; the columns x, y and curve have its points.")
        elif y is not None:
            self._of_one({None: (data, y)}, name)
        elif isinstance(data, dict) and data and all(map(_is_pair, data.values())):
            self._of_one(data, name)
        elif hasattr(data, "keys") or hasattr(data, "columns"):
            if name is not None:
                raise BnslError("name is of one curve given as x and y; here curve= says which columns name the curves.")
            self._of_table(data)
        else:
            raise BnslError(f"y is missing, or {type(data).__name__} is not what holds curves: expected x and y, {{name: (x, y)}}, a DataFrame, a dict of columns or the name of a file.")

    def place(self, row):
        """Where a row of the CSV came from, from 0."""
        for name, (first, count) in self.curves.items():
            if first <= row < first + count:
                return f"point {row - first}" if self.is_one_curve else f"curve '{name}', point {row - first}"
        return f"row {row}"

    def _of_one(self, curves, name):
        """One curve given as x and y, or several by name; weight, sigma and split have a value a point of the one."""
        self.is_one_curve = None in curves
        if self.is_one_curve:
            curves = {"y" if name is None else str(name): curves[None]}
        names, columns, labels = None, [], []
        for label, (x, y) in curves.items():
            own, inputs = _inputs(x, label)
            y_name, y = _name(y), _values(y, "y")
            if any(len(one) != len(y) for one in inputs):
                raise BnslError(f"{'' if self.is_one_curve else f'''curve '{label}': '''}x has {len(inputs[0])} values and y has {len(y)}; expected as many.")
            own = [*own, "y" if y_name is None else y_name]
            if len(own) > len(set(own)) or set(own) & {"curve", "weight", "sigma", "split"}:
                own = [*(["x"] if len(inputs) == 1 else [f"x{k + 1}" for k in range(len(inputs))]), "y"]
            names = own if names is None else names
            if len(own) != len(names):
                raise BnslError(f"curve '{label}' has {len(own) - 1} inputs and the first has {len(names) - 1}; expected as many.")
            self.curves[str(label)] = (len(labels), len(y))
            labels += [str(label)] * len(y)
            columns = [whole + part for whole, part in zip(columns, [*inputs, y])] if columns else [*inputs, y]
        for key in ("weight", "sigma", "split"):
            if self.options.get(key) is not None:
                if not self.is_one_curve:
                    raise BnslError(f"{key} is of one curve given as x and y; of several, it is a column of a DataFrame or a dict of columns.")
                values = _values(self.options.pop(key), key)
                if len(values) != len(labels):
                    raise BnslError(f"y has {len(labels)} values and {key} has {len(values)}; expected as many.")
                names, columns = [*names, key], [*columns, values]
                if key != "split":
                    self.options[key] = key
        inputs = names[:names.index("split") if "split" in names else None]
        inputs = [one for one in inputs if one not in ("weight", "sigma")]
        self.options.update(x=inputs[:-1], y=inputs[-1], curve="curve")
        self.text = _csv([*names, "curve"], [*columns, labels])

    def _of_table(self, data):
        if getattr(getattr(data, "index", None), "names", None) and any(name is not None for name in data.index.names):
            data = data.reset_index()  # What groupby leaves behind.
        names = list(data.keys() if hasattr(data, "keys") else data.columns)
        columns = [_values(data[name], name) for name in names]
        for key in ("x", "y", "weight", "sigma", "curve", "split"):
            value = self.options.get(key)
            if value is None or isinstance(value, str) or (isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value)):
                continue
            names, columns = [*names, key], [*columns, _values(self.options.pop(key), key)]
            if key != "split":
                self.options[key] = key
        for name, column in zip(names, columns):
            if len(column) != len(columns[0]):
                raise BnslError(f"column '{names[0]}' has {len(columns[0])} values and '{name}' has {len(column)}; expected as many.")
        self.text = _csv(names, columns)


def _is_pair(value):
    return isinstance(value, (tuple, list)) and len(value) == 2 and all(hasattr(part, "__len__") and not isinstance(part, str) for part in value)


def _name(values):
    """The name of a Series, where it can be a column's."""
    name = getattr(values, "name", None)
    return name if isinstance(name, str) and name.strip() and "," not in name and not name.startswith("-") else None


def _inputs(x, label):
    """Columns of x with their names: one of [points], k of [points, k]."""
    if hasattr(x, "columns"):
        return [str(name) for name in x.columns], [_values(x[name], name) for name in x.columns]
    values = _values(x, "x")
    if not values or not isinstance(values[0], (list, tuple)):
        name = _name(x)
        return ["x" if name is None else name], [values]
    if any(not isinstance(row, (list, tuple)) or len(row) != len(values[0]) for row in values):
        raise BnslError(f"x of curve '{label}' has points of different numbers of inputs; expected [points, inputs].")
    return [f"x{k + 1}" for k in range(len(values[0]))], [list(column) for column in zip(*values)]


def _values(values, name):
    """A list of Python's numbers and texts: of a list, a Series, an array, a tensor."""
    if isinstance(values, (str, bytes)):
        raise BnslError(f"{name} is '{values}'; expected numbers.")
    try:
        found = values.tolist() if hasattr(values, "tolist") else values.to_list() if hasattr(values, "to_list") else list(values)
    except TypeError:
        found = None
    if not isinstance(found, list):
        raise BnslError(f"{name} is {values!r}; expected a list or an array.")
    return found


def _csv(names, columns):
    """Text from which every double is read back to the same bits."""
    lines = itertools.chain([map(_quoted, map(str, names))], zip(*(map(_cell, column) for column in columns)))
    return ("\n".join(map(",".join, lines)) + "\n").encode("utf-8", "replace")


def _cell(value):
    if isinstance(value, float):
        return float.__repr__(value)
    if value is None:
        return ""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int):
        return str(value)
    return _cell(value.item()) if hasattr(value, "item") else _quoted(str(value))


def _quoted(text):
    # A line is a row, so that a complaint's line is a point's number; the tool would replace them too.
    return '"' + text.replace('"', '""').replace("\n", "\ufffd").replace("\r", "\ufffd") + '"'


def _refuse(options, sentence):
    """Where the result goes is not for the tool to say here."""
    for option in ("output", "format", "quiet"):
        if option in options:
            raise BnslError(sentence.format(option))


def _words(options):
    """Options as the command line has them; which there are, the tool knows."""
    words = []
    for key, value in options.items():
        option = "--" + key.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(option)
            continue
        several = isinstance(value, (list, tuple)) and (key == "laws_from" or any(isinstance(part, dict) for part in value))
        for one in value if several else [value]:
            text = _text(one)
            if "\0" in text:
                raise BnslError(f"{key} has a zero byte; expected text.")
            words += [f"{option}={text}"] if text.startswith("-") else [option, text]
    return words


def _text(value):
    if isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, dict):
        return ",".join(f"{key}={':'.join('' if end is None else _text(end) for end in one) if isinstance(one, (tuple, list)) else _text(one)}" for key, one in value.items())
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        return float.__repr__(value)
    return ",".join(map(_text, value)) if isinstance(value, collections.abc.Iterable) else str(value)


def _percent(level):
    if not 0 < level < 1:
        raise BnslError(f"level is {level}; expected a probability above 0 and below 1, like 0.8.")
    return f"{round(100 * level, 10):g}"


def _flat(values, inputs, name):
    """Texts of all numbers in values, point by point."""
    found = values.tolist() if hasattr(values, "tolist") else values
    found = [found] if isinstance(found, (int, float)) else _values(found, name)
    while found and isinstance(found[0], (list, tuple)):
        found = [one for part in found for one in part]
    numbers = [float(one) for one in found]
    for i, number in enumerate(numbers):
        if not math.isfinite(number):
            raise BnslError(f"{name} is {number!r} at {i}; expected finite numbers.")
    if len(numbers) % inputs:
        raise BnslError(f"{name} has {len(numbers)} numbers and the law {inputs} inputs; expected {name} of [points, {inputs}].")
    return [float.__repr__(number) for number in numbers]


def _like(x, inputs, values):
    """Values as x was: a number, a list or an array."""
    if hasattr(x, "__array__") and getattr(x, "ndim", 1) > 0:
        import numpy

        shape = numpy.shape(x)
        return numpy.array(values, dtype=float).reshape(shape if inputs == 1 else shape[:-1])
    is_one = not hasattr(x, "__len__") if inputs == 1 else not hasattr(x[0], "__len__")
    return values[0] if is_one or getattr(x, "ndim", 1) == 0 else values


# From what the tool writes to what a user gets.

_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_TEXTS = {"curve", "xNames", "yName", "suite", "group", "name"}


def _numbers(value, key=None):
    """A copy with the texts that stand for numbers that are not finite as these; a curve may be called NaN."""
    if isinstance(value, str):
        return value if key in _TEXTS else _NOT_FINITE.get(value, value)
    if isinstance(value, list):
        return [_numbers(one, key) for one in value]
    return {name: _numbers(one, name) for name, one in value.items()} if isinstance(value, dict) else value


def _points(curve):
    """Of fitted and held-out points x and y each."""
    data = curve.get("data", {})
    return [_numbers(data.get(part, {}).get(axis, [])) for part in ("fit", "heldOut") for axis in ("x", "y")]


def _notes(sentences, table):
    """What the tool remarks on, as warnings too."""
    notes = [_in_python(sentence, table) for sentence in sentences if not sentence.endswith("written.")]
    for note in notes:
        warnings.warn(note, BnslWarning, stacklevel=3)
    return notes


def _error(sentences, table):
    return BnslError(_in_python(sentences[-1] if sentences else "the engine failed without a word.", table))


def _in_python(sentence, table=None):
    """The tool's sentence with lines of its standard input as points and options as they are called here."""
    if table is not None:
        sentence = re.sub(r"\bstdin(, line 1)?: ", "", sentence)  # The header has names that were given here.
        sentence = re.sub(r"\bstdin, line (\d+)", lambda line: table.place(int(line[1]) - 2), sentence)
    sentence = re.sub(r" See 'bnsl \w+ --help'\.$", "", sentence)
    sentence = re.sub(r"\bof bnsl (\w+)", r"of \1()", sentence)
    return re.sub(r"--([a-z]+(?:-[a-z]+)*)", lambda option: option[1].replace("-", "_") + ("=True" if option[1] in ("skip-invalid", "keep-copies") else ""), sentence)


# The engine.


def _call(words, text, progress):
    """One call of the tool: its exit code, what it wrote, and the sentences it said."""
    line = _Line() if progress is None and sys.stderr is not None and sys.stderr.isatty() else None
    try:
        code, out, error = _engine().run(words, text, line or (progress if callable(progress) else None))
    finally:
        if line is not None:
            line.clear()
    return code, out, [sentence[len("bnsl: "):] if sentence.startswith("bnsl: ") else sentence for sentence in error.decode("utf-8", "replace").splitlines() if sentence]


class _Line:
    """Progress on a terminal, from the second second on."""

    def __init__(self):
        self.begin, self.shown = time.monotonic(), 0

    def __call__(self, stage, done, total):
        if time.monotonic() - self.begin > 1 and total > 0:
            text = f"bnsl: {stage} {100 * done // total} %"
            sys.stderr.write("\r" + text.ljust(self.shown))
            sys.stderr.flush()
            self.shown = len(text)

    def clear(self):
        if self.shown:
            sys.stderr.write("\r" + " " * self.shown + "\r")
            sys.stderr.flush()


_lock = threading.Lock()
_found = {}


def _engine():
    """The engine of this process, found once. A child by fork has only the thread that forked, without .NET's: it starts the program."""
    wanted = os.environ.get("BNSL_ENGINE", "")
    key = (wanted, os.environ.get("BNSL_HOME"), os.getpid())
    with _lock:
        if key not in _found:
            _found[key] = _find(wanted)
        return _found[key]


def _find(wanted):
    if wanted not in ("", "inprocess", "process"):
        raise BnslError(f"BNSL_ENGINE is '{wanted}'; expected inprocess or process.")
    reasons = []
    if wanted != "process":
        try:
            return _InProcess.load()
        except (OSError, BnslError) as fault:
            reasons.append(str(fault))
    if wanted != "inprocess":
        command = _command()
        if command:
            return _Process(command)
        reasons.append("there is no command bnsl.")
    raise BnslError("the engine was not found: " + " ".join(reasons) + " Build it (dotnet build -c Release), or set BNSL_HOME to the folder that holds bnsl.dll or bnsl.")


def _homes():
    """Folders that may hold the tool, the likeliest first."""
    own = os.path.dirname(os.path.realpath(__file__))
    if os.environ.get("BNSL_HOME"):
        yield os.environ["BNSL_HOME"]
        return
    yield own
    for configuration in ("Release", "Debug"):
        yield os.path.join(own, "..", "BnslGpu.Cli", "bin", configuration, "net10.0")
    tools = os.path.join(os.path.expanduser("~"), ".dotnet", "tools")
    for shim in (shutil.which("bnsl"), os.path.join(tools, "bnsl")):
        if shim is not None:
            folder = os.path.dirname(os.path.realpath(shim))
            yield folder
            yield from sorted(glob.glob(os.path.join(folder, ".store", "bnslgpu.tool*", "*", "bnslgpu.tool*", "*", "tools", "net*", "*")), reverse=True)


def _command():
    """How the tool is started as a program; None where it is not found."""
    dotnet = shutil.which("dotnet")
    for home in _homes():
        program = os.path.join(home, "bnsl.exe" if os.name == "nt" else "bnsl")
        if os.path.isfile(program) and os.access(program, os.X_OK):
            return [program]
        if dotnet is not None and os.path.isfile(os.path.join(home, "bnsl.dll")):
            return [dotnet, os.path.join(home, "bnsl.dll")]
    return None


def _in_thread(work, interrupt):
    """Does the work in a thread, so that Ctrl-C is heard here: the first one calls interrupt and waits on, a second one is raised. True after a first one."""
    ended, interrupted = threading.Event(), False

    def run():
        try:
            work()
        finally:
            ended.set()

    threading.Thread(target=run, name="bnsl", daemon=True).start()
    while not ended.is_set():
        try:
            ended.wait(0.1)  # Thread.join takes an interrupted thread for an ended one, before Python 3.13.
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted = True
            interrupt()
    return interrupted


class _InProcess:
    """The tool in this process, through hostfxr: .NET starts once, at the first call."""

    most_values = 100_000
    _loaded = None  # (path of bnsl.dll, function, process), for .NET cannot be started twice.
    _Answer = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
    _Run = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int64, ctypes.c_void_p, _Answer)

    def __init__(self, path, run):
        self.description = f"in this process: {path}"
        self._run = run

    @classmethod
    def load(cls):
        dll = next((path for path in (os.path.join(home, "bnsl.dll") for home in _homes()) if os.path.isfile(path)), None)
        if dll is None:
            raise BnslError("there is no bnsl.dll.")
        dll = os.path.realpath(dll)
        if cls._loaded is not None and cls._loaded[2] != os.getpid():
            raise BnslError(".NET runs in the process that this one was forked from.")
        if cls._loaded is None or cls._loaded[0] != dll:
            handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
            cls._loaded = (dll, cls._Run(cls._entry(dll)), os.getpid())
            if threading.current_thread() is threading.main_thread():
                for number, handler in handlers.items():
                    if handler is not None:
                        signal.signal(number, handler)
        return cls(dll, cls._loaded[1])

    @staticmethod
    def _entry(dll):
        """The address of BnslGpu.Cli.Hosted.Run."""
        windows = os.name == "nt"
        char = ctypes.c_wchar_p if windows else ctypes.c_char_p
        text = str if windows else os.fsencode
        hostfxr = ctypes.CDLL(_hostfxr())
        said = []
        writer = ctypes.CFUNCTYPE(None, char)(lambda line: said.append(line if windows else os.fsdecode(line)))
        hostfxr.hostfxr_set_error_writer.restype = ctypes.c_void_p
        hostfxr.hostfxr_set_error_writer.argtypes = [ctypes.c_void_p]
        hostfxr.hostfxr_set_error_writer(ctypes.cast(writer, ctypes.c_void_p))
        hostfxr.hostfxr_initialize_for_runtime_config.argtypes = [char, ctypes.c_void_p, ctypes.c_void_p]
        hostfxr.hostfxr_get_runtime_delegate.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
        hostfxr.hostfxr_close.argtypes = [ctypes.c_void_p]
        host, load, run = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        try:
            # 0: started; 1 and 2: another library of this process has started it before.
            status = hostfxr.hostfxr_initialize_for_runtime_config(text(dll[:-len("dll")] + "runtimeconfig.json"), None, ctypes.byref(host))
            if status in (0, 1, 2):
                load_assembly_and_get_function_pointer = 5
                status = hostfxr.hostfxr_get_runtime_delegate(host, load_assembly_and_get_function_pointer, ctypes.byref(load))
            if status == 0:
                get = ctypes.CFUNCTYPE(ctypes.c_int, char, char, char, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(load.value)
                unmanaged_callers_only = ctypes.c_void_p(-1)
                status = get(text(dll), text("BnslGpu.Cli.Hosted, bnsl"), text("Run"), unmanaged_callers_only, None, ctypes.byref(run))
        finally:
            hostfxr.hostfxr_set_error_writer(None)
            if host.value:
                hostfxr.hostfxr_close(host)
        if status != 0:
            raise BnslError(f".NET could not load {dll} (0x{status & 0xFFFFFFFF:08X}). {' '.join(' '.join(said).split())}".strip())
        return run.value

    def run(self, words, text, progress):
        args = b"".join(word.encode("utf-8", "replace") + b"\0" for word in words)
        answers, faults, code, interrupt = {1: b"", 2: b""}, [], [], ctypes.c_int(0)

        def take(kind, pointer, length):
            said = ctypes.string_at(pointer, length) if length else b""
            if kind in answers:
                answers[kind] = said
            elif progress is not None and not faults:
                try:
                    stage, done, total = said.decode().rsplit(" ", 2)
                    progress(stage, int(done), int(total))
                except BaseException as fault:  # It must not pass through .NET: the call ends, and it is raised here.
                    faults.append(fault)
                    interrupt.value = 1

        answer = self._Answer(take)

        def work():
            code.append(self._run(args, len(args), text, len(text), ctypes.addressof(interrupt), answer))

        # A second Ctrl-C leaves the call to end when it ends; what it uses stays in its thread.
        interrupted = _in_thread(work, lambda: setattr(interrupt, "value", 1))
        if faults:
            raise faults[0]
        return 130 if interrupted else code[0], answers[1], answers[2]


def _hostfxr():
    """The newest hostfxr of the .NET installation, found as the dotnet command is."""
    name = {"nt": "hostfxr.dll"}.get(os.name, "libhostfxr.dylib" if sys.platform == "darwin" else "libhostfxr.so")
    dotnet = shutil.which("dotnet")
    roots = [os.environ.get("DOTNET_ROOT"), os.path.dirname(os.path.realpath(dotnet)) if dotnet else None]
    if os.path.isfile("/etc/dotnet/install_location"):
        with open("/etc/dotnet/install_location", encoding="utf-8") as file:
            roots.append(file.readline().strip())
    roots += [os.path.join(os.path.expanduser("~"), ".dotnet"), "/usr/share/dotnet", "/usr/lib/dotnet", "/usr/lib64/dotnet", "/usr/local/share/dotnet", r"C:\Program Files\dotnet"]
    for root in filter(None, roots):
        found = glob.glob(os.path.join(root, "host", "fxr", "*", name))
        if found:
            return max(found, key=lambda path: [int(part) for part in re.findall(r"\d+", os.path.basename(os.path.dirname(path)))])
    raise BnslError("there is no .NET runtime (DOTNET_ROOT names its folder).")


class _Process:
    """The tool as a program of its own, one a call."""

    most_values = 1000  # A line of Windows is 32767 characters at most.

    def __init__(self, command):
        self.description = f"as a program: {' '.join(command)}"
        self._command = command

    def run(self, words, text, progress):
        # In a group of its own: a Ctrl-C that reached it as well would be its second, which ends it without a report.
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {"start_new_session": True}
        try:
            child = subprocess.Popen([*self._command, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **apart)
        except OSError as fault:
            raise BnslError(f"{self._command[0]} could not be started: {fault}") from fault
        out, said, faults = [], [], []

        def write():
            try:
                with child.stdin:
                    child.stdin.write(text)
            except OSError:
                pass  # It ended before it read everything, and says why.

        def work():
            writer, reader = threading.Thread(target=write, daemon=True), threading.Thread(target=lambda: out.append(child.stdout.read()), daemon=True)
            writer.start()
            reader.start()
            for line in child.stderr:
                share = re.match(rb"bnsl: (.+?) (\d+) % after [\d.]+ s$", line)
                if share is None:
                    said.append(line)
                elif progress is not None and not faults:
                    try:
                        progress(share[1].decode(), int(share[2]), 100)
                    except BaseException as fault:
                        faults.append(fault)
                        self._interrupt(child)
            reader.join()
            writer.join()
            child.stdout.close()
            child.stderr.close()
            child.wait()

        try:
            interrupted = _in_thread(work, lambda: self._interrupt(child))
        except KeyboardInterrupt:
            child.kill()
            raise
        if faults:
            raise faults[0]
        code = child.returncode
        if code not in (0, 1, 2, 130):
            raise BnslError(f"{self._command[0]} ended with exit code {code}. {b' '.join(said[-3:]).decode('utf-8', 'replace').strip()}")
        return 130 if interrupted else code, out[0] if out else b"", b"".join(said)

    @staticmethod
    def _interrupt(child):
        if os.name == "nt":
            child.terminate()
        else:
            child.send_signal(signal.SIGINT)


def _main():
    command = _command()
    if command is None:
        sys.exit("bnsl: the tool was not found. Build it (dotnet build -c Release), or set BNSL_HOME to the folder that holds bnsl.dll or bnsl.")
    if os.name == "nt":
        sys.exit(subprocess.call([*command, *sys.argv[1:]]))
    os.execv(command[0], [*command, *sys.argv[1:]])


if __name__ == "__main__":
    _main()
