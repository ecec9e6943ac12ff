"""What bnsl.py promises, held to what the tool writes. PythonTests.cs runs it; by hand: BNSL_HOME=... PYTHONPATH=src/BnslGpu.Python python3 -m unittest tests/BnslGpu.Tests/Python/test_bnsl.py"""

import csv
import gzip
import json
import math
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings

import bnsl

try:
    import numpy
except ImportError:
    numpy = None
try:
    import pandas
except ImportError:
    pandas = None
try:
    import matplotlib

    matplotlib.use("Agg")
except ImportError:
    matplotlib = None

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
EXAMPLE = os.path.join(ROOT, "examples", "four-digit-addition.csv")
QUICK = {"recipe": "least-squares", "breaks": "0-1", "starts": 64}
NEEDS_NUMPY = unittest.skipIf(numpy is None, "there is no numpy")
NEEDS_PANDAS = unittest.skipIf(pandas is None or numpy is None, "there is no pandas")
NEEDS_MATPLOTLIB = unittest.skipIf(matplotlib is None or pandas is None, "there is no matplotlib or no pandas")


def tool(*words, text=b""):
    """The tool as a program: exit code, standard output, standard error."""
    done = subprocess.run([*bnsl._command(), *words], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def example():
    with open(EXAMPLE, newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    return [float(row["x"]) for row in rows], [float(row["y"]) for row in rows], [row["split"] for row in rows]


def but_seconds(text):
    """A report but for how long it took."""
    return re.sub(r'"seconds": \{[^}]*\}', "", text)


class as_a_program:
    """The other engine."""

    def __enter__(self):
        self.before = os.environ.get("BNSL_ENGINE")
        os.environ["BNSL_ENGINE"] = "process"

    def __exit__(self, *_):
        os.environ.pop("BNSL_ENGINE")
        if self.before is not None:
            os.environ["BNSL_ENGINE"] = self.before


class Numbers(unittest.TestCase):
    """They are the tool's, to the last bit."""

    @classmethod
    def setUpClass(cls):
        code, cls.report, error = tool("fit", EXAMPLE, "--format", "json")
        assert code == 0, error
        cls.fit = bnsl.fit(EXAMPLE)["4-digit addition"]
        cls.x, cls.y, cls.split = example()

    def test_a_report_of_a_file_is_the_tools_text(self):
        self.assertIn("this process", bnsl.engine())
        self.assertEqual(but_seconds(bnsl.fit(EXAMPLE).to_json()), but_seconds(self.report))

    def test_a_report_of_lists_is_that_of_the_file(self):
        fit = bnsl.fit(self.x, self.y, split=self.split, name="4-digit addition")
        self.assertEqual(fit.to_dict(), bnsl._numbers(json.loads(self.report))["curves"][0])
        self.assertEqual((fit.breaks, fit.law, len(fit.fits)), (1, "bnsl", 4))
        self.assertEqual(fit.parameters, json.loads(self.report)["curves"][0]["fits"][1]["parameters"])

    def test_a_report_by_the_program_is_that_of_this_process(self):
        here = bnsl.fit(self.x, self.y, split=self.split, **QUICK)
        with as_a_program():
            self.assertIn("program", bnsl.engine())
            there = bnsl.fit(self.x, self.y, split=self.split, **QUICK)
            ask = there.predict([1e3, 1e4]), there.interval(1e4, 0.95), there.reach(0.4)
        self.assertEqual(here.to_dict(), there.to_dict())
        self.assertEqual(ask, (here.predict([1e3, 1e4]), here.interval(1e4, 0.95), here.reach(0.4)))

    def test_warnings_are_those_of_the_table(self):
        _, table, _ = tool("fit", EXAMPLE)
        self.assertEqual(self.fit.warnings, [line.strip()[2:] for line in table.splitlines() if line.startswith("  ! ")])
        self.assertIn("\n! " + self.fit.warnings[0], str(self.fit))

    def test_forecasts_are_those_of_bnsl_predict(self):
        x = [500.0, 1234.5, 1e4, 1e6]
        _, out, _ = tool("predict", "-", "--x", ",".join(map(repr, x)), "--interval", "80,95", text=self.report.encode())
        rows = list(csv.DictReader(out.splitlines()))
        self.assertEqual(self.fit.predict(x), [float(row["y"]) for row in rows])
        for level in (0.8, 0.95):
            low, high = self.fit.interval(x, level)
            self.assertEqual((low, high), tuple([float(row[f"{end}_{100 * level:g}"]) for row in rows] for end in ("lower", "upper")))
        narrow = self.fit.interval(1e4, of="curve")
        self.assertLess(narrow.upper - narrow.lower, self.fit.interval(1e4).upper - self.fit.interval(1e4).lower)
        _, out, _ = tool("predict", "-", "--reach", "0.5,0.4", "--interval", "80", "--format", "csv", text=self.report.encode())
        rows = list(csv.DictReader(out.splitlines()))
        self.assertEqual(list(zip(*self.fit.reach([0.5, 0.4]))), [tuple(float(row[key]) for key in ("x", "lower_80", "upper_80")) for row in rows])
        _, out, _ = tool("predict", "-", "--x", "1000", "--breaks", "2", text=self.report.encode())
        self.assertEqual(self.fit.predict(1000, breaks=2), float(next(csv.DictReader(out.splitlines()))["y"]))

    def test_the_points_are_those_of_the_file(self):
        self.assertEqual((self.fit.x, self.fit.y), (self.x[:14], self.y[:14]))
        self.assertEqual((self.fit.x_held_out, self.fit.y_held_out), (self.x[14:], self.y[14:]))

    def test_a_saved_report_says_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "report.json")
            bnsl.fit(self.x, self.y, name="a", **QUICK)
            report = bnsl.fit({"a": (self.x, self.y)}, **QUICK)
            report.save(path)
            self.assertEqual(os.listdir(folder), ["report.json"])
            loaded = bnsl.load(path)
            self.assertEqual(tool("predict", path, "--x", "1e4")[0], 0)
            for other in (gzip.compress(report.to_json().encode()), report.to_json().encode("utf-16")):
                with open(path, "wb") as file:
                    file.write(other)
                self.assertEqual(bnsl.load(path).to_json(), report.to_json())
                self.assertEqual(tool("predict", path, "--x", "1e4"), tool("predict", "-", "--x", "1e4", text=other))
        self.assertEqual(loaded.to_dict(), report.to_dict())
        self.assertEqual(bnsl.predict(loaded, 1e4), {"a": report["a"].predict(1e4)})

    def test_what_is_not_finite_is_nan_or_inf_and_a_curve_may_be_called_NaN(self):
        fit = bnsl.fit([1, 2, 4, 8, 16], [3, 2.5, 2.2, 2.0, 1.9], name="NaN", **QUICK)
        self.assertEqual((fit.name, fit.to_dict()["curve"]), ("NaN", "NaN"))
        self.assertTrue(math.isnan(fit.rmsle_held_out))
        self.assertTrue(all(isinstance(one["aicc"], float) for one in fit.fits))

    def test_a_law_of_two_inputs(self):
        points = [(n, d) for n in (1e7, 1e8, 1e9) for d in (1e9, 1e10, 1e11, 1e12)]
        y = [1.7 + 400 * n**-0.34 + 410 * d**-0.28 for n, d in points]
        fit = bnsl.fit(points, y, law="chinchilla", loss="huber", starts=200, recipe="least-squares")
        self.assertAlmostEqual(fit.predict((1e10, 1e13)), 1.7 + 400 * 1e10**-0.34 + 410 * 1e13**-0.28, places=3)
        self.assertEqual(len(fit.predict([(1e10, 1e13), (1e9, 1e13)])), 2)

    def test_a_law_of_ones_own(self):
        laws = os.path.join(os.path.dirname(bnsl.__file__), "OwnLaw.dll")
        if not os.path.exists(laws):
            self.skipTest("OwnLaw is not built beside bnsl.py")
        x = list(range(1, 20))
        fit = bnsl.fit(x, [1 + 2 * math.exp(-one / 5) for one in x], laws_from=laws, law="exponential", starts=64)
        self.assertAlmostEqual(fit.parameters["tau"], 5, places=9)

    def test_many_x_are_asked_for_in_parts(self):
        x = [10 * 1.001**i for i in range(2100)]
        with as_a_program():
            there = self.fit.predict(x, breaks=1)
        self.assertEqual(self.fit.predict(x, breaks=1), there)
        self.assertEqual(len(there), 2100)


class Kinds(unittest.TestCase):
    """Lists, arrays, Series, DataFrames and dicts say the same."""

    @classmethod
    def setUpClass(cls):
        cls.x, cls.y, _ = example()
        cls.fit = bnsl.fit(cls.x, cls.y, **QUICK)

    def same(self, fit):
        self.assertEqual(fit.parameters, self.fit.parameters)

    def test_ranges_tuples_and_keywords(self):
        self.same(bnsl.fit(tuple(self.x), self.y, **QUICK))
        self.same(bnsl.fit(x=self.x, y=self.y, **QUICK))
        self.assertEqual(bnsl.fit(range(1, 9), [5, 4, 3.5, 3, 2.8, 2.7, 2.6, 2.5], **QUICK).name, "y")

    @NEEDS_NUMPY
    def test_numpy_in_and_numpy_out(self):
        x, y = numpy.array(self.x), numpy.array(self.y)
        fit = bnsl.fit(x[::-1], y[::-1], **QUICK)
        self.same(fit)
        asked = numpy.array([[1e3, 1e4], [1e5, 1e6]])
        found = fit.predict(asked)
        self.assertEqual((found.shape, found.dtype, found.ravel().tolist()), ((2, 2), float, fit.predict([1e3, 1e4, 1e5, 1e6])))
        self.assertEqual(fit.interval(asked).upper.shape, (2, 2))
        self.assertIsInstance(fit.predict(numpy.float64(1e3)), float)
        self.assertIsInstance(fit.predict(numpy.array(1e3)), float)
        self.same(bnsl.fit(numpy.array(self.x, dtype=numpy.int64), y, **QUICK))
        wide = bnsl.fit(numpy.stack([x, x], axis=1)[:, 0], list(y.astype(numpy.float32)), **QUICK)
        self.assertEqual(wide.to_dict(), bnsl.fit(x, y.astype(numpy.float32), **QUICK).to_dict())
        self.same(bnsl.fit(x, y, **{**QUICK, "breaks": numpy.arange(2), "starts": numpy.int64(64)}))

    @NEEDS_NUMPY
    def test_weights_and_sigmas_are_arrays(self):
        ones = bnsl.fit(self.x, self.y, weight=numpy.ones(len(self.x)), **QUICK)
        self.assertAlmostEqual(ones.rmsle, self.fit.rmsle, places=9)
        first = bnsl.fit(self.x, self.y, sigma=[1e-3] * 5 + [1.0] * 12, sigma_of="log", **QUICK)
        self.assertNotEqual(first.parameters, self.fit.parameters)

    @NEEDS_PANDAS
    def test_a_frame_is_the_csv_it_would_be(self):
        frame = pandas.DataFrame({"tokens": self.x * 2, "val loss": [*self.y, *(1.1 * y for y in self.y)], "model": ["s"] * 17 + ["l"] * 17, "seed": 1})
        report = bnsl.fit(frame, x="tokens", y="val loss", curve=["model"], holdout=3, **QUICK)
        text = frame.to_csv(index=False).encode()
        code, out, _ = tool("fit", "-", "--x", "tokens", "--y", "val loss", "--curve", "model", "--holdout", "3", "--recipe", "least-squares", "--breaks", "0-1", "--starts", "64", "--format", "json", text=text)
        self.assertEqual(code, 0)
        self.assertEqual(but_seconds(report.to_json()), but_seconds(out))
        self.assertEqual(list(report), ["l", "s"])
        self.assertEqual(bnsl.fit(frame.set_index("model"), x="tokens", y="val loss", curve="model", holdout=3, **QUICK).to_dict()["curves"], report.to_dict()["curves"])
        self.assertEqual(bnsl.fit(frame, x="tokens", y=frame["val loss"], curve=frame.model, holdout=3, **QUICK)["s"].parameters, report["s"].parameters)
        self.assertEqual(list(report.to_frame().index), ["l", "s"])
        self.assertEqual(report.to_frame().loc["s", "c0"], report["s"].parameters["c0"])

    @NEEDS_PANDAS
    def test_a_series_names_its_axis(self):
        fit = bnsl.fit(pandas.Series(self.x, name="tokens"), pandas.Series(self.y, name="loss", index=range(17, 0, -1)), **QUICK)
        self.same(fit)
        self.assertEqual((fit.to_dict()["xNames"], fit.to_dict()["yName"]), (["tokens"], "loss"))

    def test_a_dict_of_curves_and_a_dict_of_columns(self):
        names = ["a", 'b,"\n', "=1+1", "#c", "ü"]
        report = bnsl.fit({name: (self.x, self.y) for name in names}, **QUICK)
        self.assertEqual(len(report), 5)
        for fit in report.values():
            self.same(fit)
        self.assertEqual({"a", "=1+1", "#c", "ü"} & set(report), {"a", "=1+1", "#c", "ü"})
        columns = bnsl.fit({"x": self.x, "y": self.y, "curve": ["a"] * len(self.x)}, **QUICK)
        self.same(columns["a"])

    def test_options_as_python_has_them(self):
        fit = bnsl.fit(self.x, self.y, breaks=[1], recipe="least-squares", fix={"a": 0}, bound={"f": (0.05, 10), "d": (None, 1e6)}, tie="f", init=[{"c0": 0.1}, {"c0": 0.2}], starts=64)
        self.assertEqual(fit.parameters["a"], 0)
        self.assertEqual(len(json.loads(fit.to_json())["options"]["parameters"]["starts"]), 2)
        self.assertEqual(bnsl._words({"fix": {"a": -1.5}, "ceiling": -1, "keep_copies": True, "only": None, "skip_invalid": False}), ["--fix", "a=-1.5", "--ceiling=-1", "--keep-copies"])


class Complaints(unittest.TestCase):
    """They are exceptions with the tool's sentence, in Python's words."""

    X, Y = [1, 2, 4, 8, 16, 32], [3, 2.5, 2.2, 2.0, 1.9, 1.85]

    def says(self, words, *args, error=bnsl.BnslError, **options):
        with self.assertRaises(error) as raised:
            bnsl.fit(*args, **options)
        for word in words:
            self.assertIn(word, str(raised.exception))
        self.assertNotIn("--", str(raised.exception))

    def test_a_wrong_option(self):
        self.says(["'holdouts'", "did you mean 'holdout'?"], self.X, self.Y, holdouts=2)
        self.says(["loss is 'l2'", "msle"], self.X, self.Y, loss="l2")
        self.says(["breaks"], self.X, self.Y, breaks=7)
        self.says(["format"], self.X, self.Y, format="csv")

    def test_a_wrong_point_is_named(self):
        self.says(["point 2", "skip_invalid"], self.X, [3, 2.5, "n/a.", 2, 1.9, 1.85])
        self.says(["curve 'b', point 1", '"y"'], {"a": (self.X, self.Y), "b": (self.X, [3, "4,5,6", 2, 2, 2, 2])})
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            report = bnsl.fit({"a": (self.X, self.Y), "b": ([*self.X, 64], [*self.Y, "n/a."])}, skip_invalid=True, **QUICK)
        self.assertEqual(report["b"].to_dict()["points"]["fit"], 6)
        self.assertTrue(any("curve 'b', point 6" in note for note in report.notes), report.notes)
        self.assertEqual([str(one.message) for one in said if issubclass(one.category, bnsl.BnslWarning)], report.notes)

    def test_what_is_no_number_is_never_fitted(self):
        for x, y in ((64, math.nan), (64, None), (64, math.inf), (math.nan, 1), (-1, 1), (0, 1)):
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                try:
                    # Whether it is left out with a note or complained of is the reader's rule; either names the point or counts it.
                    fit = bnsl.fit([*self.X, x], [*self.Y, y], **QUICK)
                except bnsl.BnslError as fault:
                    self.assertIn("point 6", str(fault))
                else:
                    self.assertEqual(fit.to_dict()["points"]["fit"], 6)
                    self.assertTrue(said)

    def test_lengths_that_differ(self):
        self.says(["x has 6 values and y has 5"], self.X, self.Y[:5])
        self.says(["sigma has 2"], self.X, self.Y, sigma=[1, 2])
        self.says(["different numbers"], [[1, 2], [3]], [1, 2], law="chinchilla")
        self.says(["column 'x' has 6"], {"x": self.X, "y": [1]})

    def test_what_holds_no_curves(self):
        self.says(["y is missing"], self.X)
        self.says(["no data"])
        self.says(["3"], 3, 4)
        self.says(["no such file"], "nowhere.csv")
        self.says(["there is no column \"loss\""], {"x": self.X, "y": self.Y}, y="loss")

    def test_no_fit_says_why(self):
        self.says(["'y'", "y > 0"], self.X, [-y for y in self.Y])
        report = bnsl.fit({"good": (self.X, self.Y), "bad": (self.X, [-y for y in self.Y])}, **QUICK)
        self.assertIsNone(report["bad"].law)
        self.assertIn("no fit", repr(report["bad"]))
        with self.assertRaisesRegex(bnsl.BnslError, "'bad' has no fit.*y > 0"):
            report["bad"].predict(10)
        self.assertEqual(list(report.predict(10)), ["good"])
        with self.assertRaisesRegex(KeyError, "no curve 'b'"):
            report["b"]

    def test_questions_without_an_answer(self):
        fit = bnsl.fit(self.X, self.Y, **QUICK)
        for wrong, words in ((lambda: fit.predict(-1), "above 0"), (lambda: fit.predict([1, math.nan]), "nan at 1"), (lambda: fit.interval(1, 80), "0.8"), (lambda: fit.predict(1, breaks=5), "no fit")):
            with self.assertRaisesRegex(bnsl.BnslError, words):
                wrong()
        self.assertEqual(fit.predict([]), [])

    def test_what_is_no_report(self):
        with tempfile.TemporaryDirectory() as folder:
            for text in (b"", b"[]", b"{}", b'{"tool": "bnsl"}', b"nonsense", b"\xff\x00", gzip.compress(b"{}"), gzip.compress(b"{}")[:15], b"\x1f\x8b{}"):
                path = os.path.join(folder, "report.json")
                with open(path, "wb") as file:
                    file.write(text)
                with self.assertRaisesRegex(bnsl.BnslError, "not a bnsl report"):
                    bnsl.load(path)

    def test_copies_are_warned_of(self):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            bnsl.fit([*self.X, 32], [*self.Y, 1.85], **QUICK)
        self.assertTrue(any("exact cop" in str(one.message) for one in said))

    def test_the_engine_that_is_not_there(self):
        code = "import bnsl\ntry: bnsl.fit([1, 2], [3, 4])\nexcept bnsl.BnslError as fault: print(fault)"
        done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "BNSL_HOME": "/nowhere", "PYTHONPATH": os.path.dirname(bnsl.__file__)}, stdout=subprocess.PIPE, check=True)
        self.assertIn(b"set BNSL_HOME", done.stdout)


class Calls(unittest.TestCase):
    """Threads, processes, progress and Ctrl-C."""

    X, Y = [2.0**i for i in range(12)], [3 * 2.0 ** (-0.3 * i) + 0.5 + 0.01 * (i % 3) for i in range(12)]

    def test_threads_do_not_meet(self):
        alone = [bnsl.fit(self.X, [y + k for y in self.Y], **QUICK).parameters for k in range(4)]
        found = {}
        threads = [threading.Thread(target=lambda k=k: found.update({k: bnsl.fit(self.X, [y + k for y in self.Y], **QUICK).parameters})) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([found[k] for k in range(4)], alone)

    @unittest.skipUnless(hasattr(os, "fork"), "there is no fork")
    def test_a_forked_child_starts_the_program(self):
        expected = bnsl.fit(self.X, self.Y, **QUICK).parameters
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Of newer Pythons: this process has threads.
            with multiprocessing.get_context("fork").Pool(1) as pool:
                engine, found = pool.apply(_in_child, (self.X, self.Y))
        self.assertIn("program", engine)
        self.assertEqual(found, expected)

    def test_progress_is_told_and_its_faults_come_back(self):
        told = []
        bnsl.fit(self.X, self.Y, progress=lambda *one: told.append(one), **QUICK)
        self.assertTrue(told and all(isinstance(stage, str) and 0 <= done <= total for stage, done, total in told), told)

        def fail(*_):
            raise ZeroDivisionError("mine")

        with self.assertRaisesRegex(ZeroDivisionError, "mine"):
            bnsl.fit(self.X, self.Y, progress=fail, starts=10_000_000)

    def interrupted(self):
        timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
        begin = time.monotonic()
        timer.start()
        try:
            with self.assertRaises(KeyboardInterrupt) as raised:
                bnsl.fit(self.X, self.Y, recipe="least-squares", starts=10_000_000)
        finally:
            timer.cancel()
        self.assertLess(time.monotonic() - begin, 30)
        fit, = raised.exception.report.values()
        self.assertIsNotNone(fit.law)
        self.assertIn("stopped", " ".join(raised.exception.report.to_dict()["remarks"]))

    @unittest.skipIf(os.name == "nt", "Windows sends no SIGINT to itself")
    def test_ctrl_c_ends_a_fit_and_keeps_what_was_found(self):
        self.interrupted()
        self.assertEqual(bnsl.fit(self.X, self.Y, **QUICK).law, "bnsl")

    @unittest.skipIf(os.name == "nt", "Windows sends no SIGINT to itself")
    def test_ctrl_c_ends_a_program_and_keeps_what_was_found(self):
        with as_a_program():
            self.interrupted()

    def test_a_suite(self):
        curves = {f"g|{k}": (self.X, [y + k for y in self.Y]) for k in range(2)}
        scores = bnsl.suite(curves, holdout=3, recipe="least-squares", law="bnsl,m2", breaks=[0], starts=16)
        code, out, _ = tool("suite", "-", "--curve", "curve", "--x", "x", "--y", "y", "--holdout", "3", "--recipe", "least-squares", "--law", "bnsl,m2", "--breaks", "0", "--starts", "16", "--format", "json", text=bnsl._Table(curves, None, None, {}).text)
        self.assertEqual(code, 0)
        self.assertEqual(len(scores["tasks"]), 2)
        with self.assertRaisesRegex(bnsl.BnslError, "has no output"):
            bnsl.suite(curves, holdout=3, output="scores.json")
        self.assertEqual({key: scores[key] for key in scores if key != "seconds"}, {key: value for key, value in bnsl._numbers(json.loads(out)).items() if key != "seconds"})

    def test_a_fresh_process_needs_no_package(self):
        code = f"import sys, bnsl; fit, = bnsl.fit({EXAMPLE!r}, recipe='least-squares').values(); assert not {{'numpy', 'pandas'}} & set(sys.modules); print(fit.breaks, bnsl.engine())"
        done = subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {os.path.dirname(bnsl.__file__)!r}); {code}"], stdout=subprocess.PIPE, check=True)
        self.assertTrue(done.stdout.startswith(b"1 in this process"), done.stdout)


def _in_child(x, y):
    fit = bnsl.fit(x, y, **QUICK)
    return bnsl.engine(), fit.parameters


class Shown(unittest.TestCase):
    """What README, the notebook and plots show."""

    @NEEDS_MATPLOTLIB
    def test_a_plot_has_points_line_and_bands(self):
        fit = bnsl.fit(*example()[:2], holdout=3, **QUICK)
        ax = fit.plot()
        self.assertEqual((ax.get_xscale(), ax.get_yscale(), ax.get_title()), ("log", "log", "y"))
        self.assertEqual(ax.get_legend_handles_labels()[1], ["forecast", "95 %", "80 %", "fitted", "held out"])
        self.assertEqual(len(fit.plot(ax, levels=()).lines), 6)
        matplotlib.pyplot.close("all")

    @NEEDS_MATPLOTLIB
    def test_the_lines_of_README_run(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            block = re.search(r"```python\n(.*?)```", file.read(), re.S)[1]
        here = os.getcwd()
        try:
            with tempfile.TemporaryDirectory() as folder:
                shutil.copytree(os.path.join(ROOT, "examples"), os.path.join(folder, "examples"), ignore=shutil.ignore_patterns("bin", "obj"))
                os.chdir(folder)
                exec(compile(block, "README.md", "exec"), {})
                self.assertEqual({"addition.png", "report.json"} - set(os.listdir(folder)), set())
                os.chdir(here)
        finally:
            os.chdir(here)
            matplotlib.pyplot.close("all")

    @NEEDS_MATPLOTLIB
    def test_the_cells_of_the_notebook_run(self):
        with open(os.path.join(ROOT, "examples", "bnsl.ipynb"), encoding="utf-8") as file:
            notebook = json.load(file)
        self.assertEqual(notebook["nbformat"], 4)
        here = os.getcwd()
        try:
            os.chdir(os.path.join(ROOT, "examples"))
            names = {}
            for cell in notebook["cells"]:
                if cell["cell_type"] == "code":
                    exec(compile("".join(cell["source"]), "bnsl.ipynb", "exec"), names)
        finally:
            os.chdir(here)
            matplotlib.pyplot.close("all")

    def test_help_teaches(self):
        for public in bnsl.__all__:
            self.assertTrue(getattr(bnsl, public).__doc__, public)
        help_of_fit = tool("fit", "--help")[1]
        for option in ("holdout", "breaks", "ceiling", "skip-invalid", "keep-copies", "sigma-of", "recipe", "missed", "precision", "report"):
            self.assertIn(f"--{option}", help_of_fit)
            self.assertIn(option.replace("-", "_"), bnsl.fit.__doc__)


if __name__ == "__main__":
    unittest.main()
