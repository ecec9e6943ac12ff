"use strict";
(() => {
// ---- parts of a page ----

const svgNames = new Set(["svg", "g", "path", "line", "rect", "circle", "text", "tspan", "clipPath", "title"]);

/** An element; attributes whose value is null are left out, functions are listeners, children are elements or texts. */
function el(name, attributes = {}, ...children) {
  const element = svgNames.has(name) ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined));
  return element;
}
const find = id => document.getElementById(id);

// ---- numbers as a person reads them ----

const superscript = n => String(n).replace(/[-0-9]/g, c => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
const minus = text => text.replace(/-/g, "−");
const known = value => value !== null && value !== undefined && Number.isFinite(value);

/** To so many significant digits: plain from 1e-4 to 1e5, as 1.23×10⁹ outside. */
function number(value, digits = 4) {
  if (!known(value)) return "–";
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  if (+exponent >= -4 && +exponent < Math.max(digits + 1, 5)) return minus((+value).toFixed(Math.max(0, digits - 1 - exponent)));
  const short = mantissa.replace(/\.?0+$/, "");
  return minus(short === "1" ? "10" : `${short}×10`) + superscript(+exponent);
}

/** To the digits that its standard error leaves it. */
function withError(value, error) {
  if (!known(value) || value === 0) return number(value);
  if (!(error > 0)) return number(value, 6).replace(/(\.\d*?)0+(?!\d)/, "$1").replace(/\.(?!\d)/, "");
  const digits = Math.floor(Math.log10(Math.abs(value))) - Math.floor(Math.log10(error)) + 2;
  return number(value, Math.min(Math.max(digits, 3), 8));
}
const percent = (share, digits = 0) => known(share) ? `${(100 * share).toFixed(digits)} %` : "–";
const count = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
const range = (low, high) => `${number(low)} to ${number(high)}`;
const missed = chance => known(chance) ? percent(chance, chance < .1 ? 1 : 0) : "–";

// ---- data ----

const data = JSON.parse(find("data").textContent);
const curves = data.curves, levels = data.run.levels;
const byName = new Map(curves.map(curve => [curve.name, curve]));
// Errors of log y where every law has them, else of y.
const ofLog = curves.every(curve => curve.chosen < 0 || curve.logY);
const metric = ofLog ? "RMSLE" : "RMSE";
const scored = (of, part) => of[(ofLog ? "rmsle" : "rmse") + part];
for (const curve of curves) {
  curve.best = curve.fits[curve.chosen];
  curve.href = "#curve/" + encodeURIComponent(curve.name);
}
const median = values => {
  const sorted = values.filter(known).sort((a, b) => a - b), n = sorted.length;
  return n ? (sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2 : null;
};

// ---- axes ----

/** A label for v, all of whose digits are multiples of 10^resolution. */
function tick(v, resolution, plain) {
  if (v === 0) return { v, text: "0" };
  if (plain) return { v, text: minus(v.toFixed(Math.max(0, -resolution))) };
  const exponent = Math.floor(Math.log10(Math.abs(v)) + 1e-9);
  const digits = (v / 10 ** exponent).toFixed(Math.max(0, exponent - resolution));
  return { v, text: minus(Math.abs(digits) === 1 ? digits.replace(/1.*/, "10") : `${digits}×10`) + superscript(exponent) };
}

/** Ticks between two logarithms to base ten: decades, else digits of decades, else equal steps; the first choice with enough labels, room, and no long bare stretch. */
function logTicks(low, high, fits) {
  const inside = v => Math.log10(v) >= low - 1e-9 && Math.log10(v) <= high + 1e-9;
  const multiples = (digits, stride) => {
    const found = [];
    for (let decade = Math.floor(low); decade <= Math.floor(high); decade++)
      if (decade % stride === 0) for (const digit of digits) {
        const v = decade < 0 ? digit / 10 ** -decade : digit * 10 ** decade;
        if (inside(v)) found.push([v, Number.isInteger(digit) ? decade : decade - 1]);
      }
    return found;
  };
  const label = found => {
    const plain = high - low < 3.3 && found.every(([v]) => v > .99e-3 && v < .99e5);
    return found.map(([v, resolution]) => tick(v, resolution, plain));
  };
  const every = [1, 2, 3, 4, 5, 6, 7, 8, 9], values = found => found.map(([v]) => v);
  const choices = [];
  for (const stride of [1, 2, 3, 4, 5, 10, 20, 50, 100]) choices.push(() => [label(multiples([1], stride)), values(multiples(high - low < 7 ? every : [1], 1)), 3]);
  for (const digits of [[1, 3], [1, 2, 5], [1, 2, 3, 4, 6, 8], [1, 1.5, 2, 3, 5, 7]]) choices.push(() => [label(multiples(digits, 1)), values(multiples(every, 1)), 4]);
  for (let exponent = Math.floor(high), least = exponent - 5; exponent > least; exponent--)
    for (const digit of [5, 2, 1]) choices.push(() => {
      const found = steps(10 ** low, 10 ** high, digit, exponent).filter(v => v > 0).map(v => [v, exponent]);
      return [label(found), [], 4];
    });
  let best = [[], [], Infinity];
  for (const choice of choices) {
    const [ticks, minor, enough] = choice();
    if (ticks.length < 2 || ticks.length > 40 || !fits(ticks)) continue;
    const at = [low, ...ticks.map(t => Math.log10(t.v)), high];
    const bare = Math.max(...at.slice(1).map((log, i) => log - at[i])) / (high - low);
    if (ticks.length >= enough && bare <= .4) return [ticks, minor];
    if (bare < best[2]) best = [ticks, minor, bare];
  }
  return best;
}

/** Multiples of digit·10^exponent. */
function steps(low, high, digit, exponent) {
  const found = [], step = exponent < 0 ? digit / 10 ** -exponent : digit * 10 ** exponent;
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step && found.length < 50; i++)
    found.push(exponent < 0 ? i * digit / 10 ** -exponent : i * step);
  return found;
}

/** The coarsest even steps with five labels or more, as far as there is room. */
function linearTicks(low, high, fits) {
  let best = [];
  const largest = Math.ceil(Math.log10(high - low));
  for (let exponent = largest; exponent > largest - 4; exponent--)
    for (const digit of [5, 2, 1]) {
      const found = steps(low, high, digit, exponent), plain = exponent >= -4 && found.every(v => Math.abs(v) < .99e5);
      const ticks = found.map(v => tick(v, exponent, plain));
      if (!fits(ticks)) return [best, []];
      best = ticks;
      if (ticks.length >= 5) return [best, []];
    }
  return [best, []];
}

/** From values to places, both ends given in the coordinate of the axis. */
function axis(low, high, from, to, log, room) {
  const at = log ? v => Math.log10(v) : v => v;
  const place = v => from + (at(v) - low) / (high - low) * (to - from);
  const fits = ticks => ticks.every((t, i) => i === 0 || Math.abs(place(t.v) - place(ticks[i - 1].v)) >= room(t, ticks[i - 1]));
  const [labelled, minor] = log ? logTicks(low, high, fits) : linearTicks(low, high, fits);
  const back = p => low + (p - from) / (to - from) * (high - low);
  return { place, labelled, minor, value: p => log ? 10 ** back(p) : back(p), has: v => known(v) && (!log || v > 0) };
}

/** The ends of values in a coordinate; a little about them where they are all but equal. */
function ends(values, log) {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (!known(value) || (log && value <= 0)) continue;
    const at = log ? Math.log10(value) : value;
    low = Math.min(low, at);
    high = Math.max(high, at);
  }
  if (low > high) return null;
  const size = log ? 1 : Math.max(Math.abs(low), Math.abs(high)), about = log ? .05 : size > 0 ? .05 * size : 1;
  return high - low >= 1e-4 * size && high > low ? [low, high] : [(low + high) / 2 - about, (low + high) / 2 + about];
}

// ---- the forecast between the places at which it was taken ----

/** An end of an interval all along the grid: its distance from the forecast in log y is smooth, and is interpolated in log x. */
function along(curve, values) {
  const { at, y } = curve.forecast, x = curve.x, all = new Array(x.length).fill(null);
  const off = at.map((i, k) => known(values[k]) && known(y[i]) ? Math.log(values[k] / y[i]) : null);
  for (let k = 1; k < at.length; k++) {
    if (off[k] === null || off[k - 1] === null) continue;
    const from = Math.log(x[at[k - 1]]), to = Math.log(x[at[k]]);
    for (let i = at[k - 1]; i <= at[k]; i++) {
      const share = to > from ? (Math.log(x[i]) - from) / (to - from) : 0;
      if (known(y[i])) all[i] = y[i] * Math.exp(off[k - 1] + share * (off[k] - off[k - 1]));
    }
  }
  return all;
}
function bands(curve, of) {
  curve.bands ??= {};
  return curve.bands[of] ??= curve.forecast[of].map(({ lower, upper }) => ({ lower: along(curve, lower), upper: along(curve, upper) }));
}

/** A line's value between its samples. */
function between(curve, y, x) {
  const grid = curve.x;
  if (!y || !(x >= grid[0]) || x > grid[grid.length - 1]) return null;
  let low = 0, high = grid.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (grid[middle] <= x) low = middle; else high = middle;
  }
  if (!known(y[low]) || !known(y[high])) return null;
  const f = curve.logX ? Math.log : v => v;
  const share = (f(x) - f(grid[low])) / (f(grid[high]) - f(grid[low]));
  return curve.logY && y[low] > 0 && y[high] > 0 ? y[low] * (y[high] / y[low]) ** share : y[low] + share * (y[high] - y[low]);
}

// ---- a chart ----

const styles = [["#cc79a7", "2 3"], ["#009e73", "6 2 2 2"], ["#e69f00", "5 3"], ["#56b4e9", "9 2 2 2 2 2"], ["#999999", "11 3"], ["#b58900", "4 2"]];
/** How a fit is drawn: the chosen one in ink, rivals each in their colour and dashes. */
function style(curve, i) {
  if (i === curve.chosen) return { class: "fit chosen" };
  const rival = curve.chosen >= 0 && i > curve.chosen ? i - 1 : i, [colour, dashes] = styles[rival % styles.length];
  return { class: "fit", stroke: colour, "stroke-dasharray": dashes };
}
const mainLine = curve => curve.forecast ? curve.forecast.y : curve.best?.y;
const isSymbol = name => name.length === 1;
let clips = 0;

/**
 * Draws a curve.
 * @param small Whether it is one of many: fewer ticks, no titles.
 * @param shown Which fits (indices) are drawn, and of what the intervals are.
 * @returns The svg, or null where no point has a place; its property `axes` has both axes.
 */
function chart(curve, width, height, small, shown = { fits: new Set(), of: "measurement" }) {
  const points = [curve.fit, curve.heldOut].filter(Boolean), { logX, logY } = curve;
  const measured = points.flatMap(p => p.y), line = mainLine(curve);
  const across = curve.againstFitted ? [...measured, ...points.flatMap(p => p.x)] : curve.x ?? [];
  const xEnds = ends(across, logX);
  let yEnds = ends(curve.againstFitted ? across : measured, logY);
  if (!xEnds || !yEnds) return null;
  let [xLow, xHigh] = xEnds, [low, high] = yEnds;
  if (curve.againstFitted) [xLow, xHigh] = [xLow - .04 * (xHigh - xLow), xHigh + .06 * (xHigh - xLow)];
  else {
    // The line and its 80 % interval are to be seen, but not at the price of the points: they get at most the points' own height again on either side.
    const most = high - low, [least, largest] = [low - most, high + most];
    const also = [line ?? []];
    if (curve.forecast) also.push(bands(curve, shown.of)[1].lower, bands(curve, shown.of)[1].upper);
    const wide = ends(also.flat(), logY);
    if (wide) [low, high] = [Math.min(low, Math.max(wide[0], least)), Math.max(high, Math.min(wide[1], largest))];
  }
  const ySpan = high - low;
  [low, high] = [low - .05 * ySpan, high + .05 * ySpan];

  const size = small ? 9 : 11, em = t => t.text.length * size * .6;
  const top = small ? 4 : 24, bottom = height - (small ? 16 : 42), right = width - (small ? 6 : 18);
  const y = axis(low, high, bottom, top, logY, () => small ? 22 : 26);
  const left = (small ? 5 : 30) + 4 + Math.max(18, ...y.labelled.map(em));
  const x = axis(xLow, xHigh, left, right, logX, (a, b) => (em(a) + em(b)) / 2 + (small ? 10 : 14));
  const svg = el("svg", { viewBox: `0 0 ${width} ${height}` }), clip = `clip-${++clips}`;
  const place = v => Math.round(v * 10) / 10;
  const clipped = at => place(Math.min(Math.max(at, -height), 2 * height));

  /** A line's path; it is broken where it has no place. */
  const path = (xs, ys) => {
    let d = "", down = false;
    ys.forEach((v, i) => {
      if (x.has(xs[i]) && y.has(v)) {
        d += `${down ? "L" : "M"}${place(x.place(xs[i]))} ${clipped(y.place(v))}`;
        down = true;
      } else down = false;
    });
    return d;
  };

  // Grid, ticks, labels.
  const ticks = ts => ts.map(t => place(x.place(t.v ?? t)));
  svg.append(
    el("path", { class: "gridline", d: ticks(x.labelled).map(v => `M${v} ${top}V${bottom}`).join("") + y.labelled.map(t => `M${left} ${place(y.place(t.v))}H${right}`).join("") }),
    el("path", { class: "axis", d: `M${left} ${top}V${bottom}H${right}` + (small ? "" : ticks(x.minor).map(v => `M${v} ${bottom}v3`).join("") + y.minor.map(v => `M${left} ${place(y.place(v))}h-3`).join(""))
      + ticks(x.labelled).map(v => `M${v} ${bottom}v${small ? 3 : 5}`).join("") + y.labelled.map(t => `M${left} ${place(y.place(t.v))}h${small ? -3 : -5}`).join("") }),
    el("g", { class: small ? "small-text" : null },
      x.labelled.map(t => el("text", { x: place(Math.min(x.place(t.v), width - em(t) / 2)), y: bottom + (small ? 13 : 18), "text-anchor": "middle" }, t.text)),
      y.labelled.map(t => el("text", { x: left - (small ? 5 : 8), y: place(y.place(t.v) + size * .36), "text-anchor": "end" }, t.text))),
    el("clipPath", { id: clip }, el("rect", { x: left, y: top, width: right - left, height: bottom - top })));
  if (!small) {
    const middle = (top + bottom) / 2, yTitle = curve.againstFitted ? `${curve.yName}, measured` : curve.yName;
    const xTitle = curve.againstFitted ? `${curve.yName}, fitted` : curve.xNames[0];
    svg.append(
      el("text", { class: "title", x: (left + right) / 2, y: height - 5, "text-anchor": "middle" }, titled(xTitle)),
      el("text", { class: "title", x: 14, y: middle, "text-anchor": "middle", transform: isSymbol(yTitle) ? null : `rotate(-90 14 ${middle})` }, titled(yTitle)));
  }

  const inside = el("g", { "clip-path": `url(#${clip})` });
  if (curve.forecast) {
    for (const { lower, upper } of [...bands(curve, shown.of)].reverse()) {
      let there = "", back = "";
      const close = () => { if (there) inside.append(el("path", { class: "band", d: `M${there.slice(1)}${back}Z` })); there = back = ""; };
      lower.forEach((v, i) => {
        if (!y.has(v) || !y.has(upper[i])) return close();
        const at = place(x.place(curve.x[i]));
        there += `L${at} ${clipped(y.place(v))}`;
        back = `L${at} ${clipped(y.place(upper[i]))}` + back;
      });
      close();
    }
  }
  let free = -Infinity;
  (curve.againstFitted ? [] : curve.best?.d ?? []).forEach((d, i) => {
    const at = place(x.place(d));
    if (!x.has(d) || at < left || at > right) return;
    inside.append(el("path", { class: "break", d: `M${at} ${top}V${bottom}` }));
    if (small) return;
    const label = Math.max(at, free);
    free = label + 17;
    svg.append(el("text", { x: label, y: top - 7, "text-anchor": "middle" }, el("tspan", { class: "symbol" }, "d"), String.fromCharCode(0x2080 + i + 1)));
  });

  const dots = (p, kind) => {
    const n = p.x.length, many = measured.length > 100;
    const radius = Math.min(Math.max((small ? 2.1 : 3.8) * (30 / Math.max(1, measured.length)) ** .28, small ? 1.2 : 1.9), small ? 2.1 : 3.8);
    const places = [];
    for (let i = 0; i < n; i++) if (x.has(p.x[i]) && y.has(p.y[i])) places.push([place(x.place(p.x[i])), clipped(y.place(p.y[i]))]);
    if (kind === "held-out" && !many && !small) inside.append(...places.map(([cx, cy]) => el("circle", { class: "hollow", cx, cy, r: radius - .75 })));
    // A path of points without length, its ends round: one element for thousands of dots.
    else if (places.length) inside.append(el("path", { class: `dot ${kind}${many ? " many" : ""}`, d: places.map(([cx, cy]) => `M${cx} ${cy}h0`).join(""), "stroke-width": 2 * radius }));
  };
  const allDots = () => {
    if (curve.heldOut) dots(curve.heldOut, "held-out");
    if (curve.fit) dots(curve.fit, "fitted");
  };
  const lines = () => {
    for (const i of shown.fits) if (curve.fits[i]?.y && !curve.againstFitted) inside.append(el("path", { ...style(curve, i), d: path(curve.x, curve.fits[i].y) }));
    if (curve.againstFitted) inside.append(el("path", { class: "forecast", d: path([x.value(left), x.value(right)], [x.value(left), x.value(right)]) }));
    else if (line) {
      // Solid over the fitted points, dashed beyond.
      const last = curve.forecast ? curve.forecast.lastX : Math.max(...curve.fit.x);
      const seam = curve.x.findLastIndex(v => v <= last * (1 + (last > 0 ? 1e-5 : -1e-5)));
      inside.append(
        el("path", { class: "forecast", d: path(curve.x.slice(0, seam + 1), line.slice(0, seam + 1)), style: small || measured.length > 100 ? "stroke-width:1.3" : null }),
        el("path", { class: "forecast beyond", d: path(curve.x.slice(Math.max(seam, 0)), line.slice(Math.max(seam, 0))), style: small || measured.length > 100 ? "stroke-width:1.3" : null }));
    }
  };
  svg.append(inside);
  // Few points stand on the lines, many would bury them.
  if (measured.length > 100) { allDots(); lines(); } else { lines(); allDots(); }
  svg.axes = { x, y, left, right, top, bottom };
  return svg;
}
const titled = name => isSymbol(name) ? el("tspan", { class: "symbol" }, name) : name.length > 60 ? name.slice(0, 30) + "…" + name.slice(-29) : name;

/** What a chart's marks mean. */
function key(parts) {
  const sample = (...inside) => el("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" }, inside);
  const dot = kind => sample(el("path", { class: `dot ${kind}`, d: "M13 6h0", "stroke-width": 7 }));
  const marks = {
    fitted: () => dot("fitted"),
    heldOut: () => dot("held-out"),
    hollow: () => sample(el("circle", { class: "hollow", cx: 13, cy: 6, r: 3 })),
    forecast: () => sample(el("path", { class: "forecast", d: "M0 6H13" }), el("path", { class: "forecast beyond", d: "M13 6H26", "stroke-dasharray": "4 2" })),
    equal: () => sample(el("path", { class: "forecast", d: "M0 6H26" })),
    bands: () => sample(...[0, 2, 4].map(inset => el("rect", { class: "band", x: 0, y: inset, width: 26, height: 12 - 2 * inset }))),
    break: () => sample(el("path", { class: "break", d: "M13 0V12" })),
  };
  return parts.filter(Boolean).map(([mark, text]) => el("span", {}, marks[mark](), text));
}
const levelNames = levels.map(level => Math.round(100 * level)).join(", ").replace(/, (\d+)$/, " and $1 %");

// ---- tables ----

/**
 * A table that sorts by its headers.
 * @param columns Each {title, hint, of(row): what it is sorted by, show(row): a text or an element, numeric, header}.
 * @param ordered Told of every new order.
 */
function sortable(columns, rows, label, ordered = () => {}) {
  const body = el("tbody"), heads = [];
  const lines = new Map(rows.map(row => [row, el("tr", {}, columns.map(column =>
    column.header ? el("th", { scope: "row" }, column.show(row)) : el("td", { class: column.numeric ? "n" : null }, column.show(row))))]));
  let order = [...rows], shown = () => true;
  const fill = () => body.replaceChildren(...order.filter(shown).map(row => lines.get(row)));
  const sort = at => {
    const down = heads[at].getAttribute("aria-sort") === "ascending", { of, numeric } = columns[at];
    heads.forEach((head, i) => head.setAttribute("aria-sort", i !== at ? "none" : down ? "descending" : "ascending"));
    const missing = row => numeric ? !known(of(row)) : !of(row);
    const compare = numeric ? (a, b) => of(a) - of(b) : (a, b) => String(of(a)).localeCompare(String(of(b)), "en", { numeric: true });
    // What is not known stands last, whichever way.
    order.sort((a, b) => missing(a) - missing(b) || (missing(a) ? 0 : (down ? -1 : 1) * compare(a, b)));
    fill();
    ordered(order);
  };
  columns.forEach((column, at) => heads.push(el("th", { scope: "col", "aria-sort": "none", class: column.numeric ? "n" : null, "data-title": column.title },
    el("button", { type: "button", title: column.hint, click: () => sort(at) }, column.title))));
  fill();
  const element = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, el("table", {}, el("thead", {}, el("tr", {}, heads)), body));
  return { element, filter: keep => { shown = keep; fill(); } };
}
const errorOf = (error, some) => some ? el("span", { class: "error" }, error > 0 ? `± ${number(error, 2)}` : "") : null;

for (const table of data.tables) {
  const rows = (table.columns[0]?.values ?? []).map((_, i) => i);
  const shown = ({ values, digits }) => values.every(v => v === null || Number.isSafeInteger(v)) ? v => v?.toLocaleString("en") ?? "–" : v => number(v, digits);
  const columns = table.columns.map(({ title, values, errors, digits }, k) => digits
    ? { title, numeric: true, of: i => values[i], show: i => el("span", {}, shown({ values, digits })(values[i]), errorOf(errors?.[i], errors)) }
    : { title, header: k === 0, of: i => values[i], show: i => byName.has(values[i]) ? el("a", { href: byName.get(values[i]).href }, values[i]) : values[i] });
  find("tables").append(el("section", {}, el("div", { class: "bar" }, el("h2", {}, table.title)), table.caption ? el("p", { class: "caption" }, table.caption) : null,
    sortable(columns, rows, table.title).element));
}

// ---- head ----

find("version").textContent = data.run.version;
find("facts").append(...data.run.facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
find("remarks").append(...data.run.remarks.map(remark => el("p", { class: "remark" }, remark)));
const fitted = curves.filter(curve => curve.best), some = part => curves.some(curve => known(curve.scores[part]));
const coverage = curves.map(curve => curve.scores.coverage).filter(known);
const warned = curves.filter(curve => curve.warnings.length).length;
const totals = [
  [fitted.length === curves.length ? "curves" : "curves with a fit", fitted.length === curves.length ? curves.length : `${fitted.length} of ${curves.length}`],
  ["points fitted", curves.reduce((sum, curve) => sum + curve.points[0], 0).toLocaleString("en")],
  ["held out", curves.reduce((sum, curve) => sum + curve.points[1], 0).toLocaleString("en")],
  [`median ${metric} of the fits`, number(median(curves.map(curve => scored(curve.scores, ""))), 3)],
];
if (curves.some(curve => known(scored(curve.scores, "HeldOut")))) totals.push([`median ${metric} held out`, number(median(curves.map(curve => scored(curve.scores, "HeldOut"))), 3)]);
if (some("forecast")) totals.push(["median RMSLE of the forecasts", number(median(curves.map(curve => curve.scores.forecast)), 3)]);
if (coverage.length) totals.push(["held out within 80 % intervals, mean of curves", percent(coverage.reduce((a, b) => a + b, 0) / coverage.length)]);
totals.push(["with warnings", warned]);
if (curves.length) find("totals").append(...totals.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value)))));

// ---- the table of curves ----

const anyHeldOut = curves.some(curve => curve.points[1] > 0);
const labelled = new Set(fitted.map(curve => curve.best.label.replace(/, \d+ breaks?$/, ""))).size > 1;
const columns = [
  { title: "curve", header: true, of: c => c.name, show: c => el("a", { href: c.href }, c.name) },
  { title: "points", hint: "Points that were fitted", numeric: true, of: c => c.points[0], show: c => c.points[0].toLocaleString("en") },
  anyHeldOut && { title: "held out", hint: "Points that were only scored", numeric: true, of: c => c.points[1], show: c => c.points[1].toLocaleString("en") },
  labelled && { title: "law", of: c => c.best?.label, show: c => c.best?.label ?? "–" },
  { title: "breaks", hint: "Breaks of the chosen fit", numeric: true, of: c => c.best?.breaks ?? null, show: c => c.best ? String(c.best.breaks) : "no fit" },
  { title: `${metric} fit`, hint: `${metric} of the chosen fit at the fitted points`, numeric: true, of: c => scored(c.scores, ""), show: c => number(scored(c.scores, "")) },
  anyHeldOut && { title: `${metric} held out`, hint: `${metric} of the chosen fit at the held-out points, with its standard error`, numeric: true, of: c => scored(c.scores, "HeldOut"),
    show: c => el("span", {}, number(scored(c.scores, "HeldOut")), ofLog ? errorOf(c.scores.rmsleHeldOutError, true) : null) },
  some("forecast") && { title: "forecast", hint: "RMSLE of the forecast at the held-out points", numeric: true, of: c => c.scores.forecast, show: c => number(c.scores.forecast) },
  some("coverage") && { title: "in 80 %", hint: "Share of the held-out points inside the forecast's 80 % interval for measurements", numeric: true, of: c => c.scores.coverage, show: c => percent(c.scores.coverage) },
  { title: "warnings", hint: "Sentences that a reader should know; they stand beside the large chart", numeric: true, of: c => c.warnings.length,
    show: c => el("span", { class: c.warnings.length ? "has-warnings" : "quiet", title: c.warnings.join("\n") || null }, String(c.warnings.length)) },
].filter(Boolean);

let order = curves;
const list = sortable(columns, curves, "All curves", sorted => { order = sorted; arrange(); });
find("list").append(list.element);

// ---- small charts ----

const cards = new Map(curves.map(curve => {
  const text = [curve.best ? (labelled ? curve.best.label : count(curve.best.breaks, "break")) : "no fit"];
  if (known(scored(curve.scores, "HeldOut"))) text.push(`held out ${number(scored(curve.scores, "HeldOut"), 3)}`);
  else if (curve.best) text.push(`${metric} ${number(scored(curve.scores, ""), 3)}`);
  const warn = curve.warnings.length ? el("span", { class: "has-warnings" }, `, ${count(curve.warnings.length, "warning")}`) : null;
  return [curve, el("a", { class: "card", href: curve.href, title: curve.name }, el("b", {}, curve.name), el("small", {}, text.join(", "), warn), el("div", { class: "hold" }))];
}));
function drawCard(curve) {
  const hold = cards.get(curve).querySelector(".hold");
  if (hold.hasChildNodes()) return;
  const svg = chart(curve, 240, 168, true);
  svg?.setAttribute("aria-hidden", "true");
  hold.append(svg ?? el("p", { class: "nothing" }, "no point that can be drawn"));
}
const curveOf = new Map([...cards].map(([curve, card]) => [card, curve]));
const seen = new IntersectionObserver(entries => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) {
    seen.unobserve(target);
    drawCard(curveOf.get(target));
  }
}, { rootMargin: "600px" });
for (const card of cards.values()) seen.observe(card);
addEventListener("beforeprint", () => shownCurves().forEach(drawCard));

const keep = curve => curve.name.toLowerCase().includes(find("filter").value.trim().toLowerCase()) && (!find("warned").checked || curve.warnings.length > 0);
const shownCurves = () => order.filter(keep);
function arrange() {
  const shown = shownCurves();
  find("charts").replaceChildren(...shown.map(curve => cards.get(curve)));
  find("count").textContent = shown.length === curves.length ? count(curves.length, "curve") : `${shown.length} of ${count(curves.length, "curve")}`;
}
function filter() {
  list.filter(keep);
  arrange();
}
find("filter").addEventListener("input", filter);
find("warned").addEventListener("change", filter);
find("legend").append(...key([
  ["fitted", "fitted"], anyHeldOut && ["heldOut", "held out"],
  curves.some(curve => !curve.againstFitted) && ["forecast", curves.some(curve => curve.forecast) ? "forecast, dashed beyond the fitted points" : "chosen fit, dashed beyond the fitted points"],
  curves.some(curve => curve.againstFitted) && ["equal", "fitted = measured"],
  curves.some(curve => curve.forecast) && ["bands", `${levelNames} intervals of a measurement`],
  curves.some(curve => curve.best?.d.length) && ["break", "break"],
]));
arrange();

// ---- one curve ----

const one = find("one");
let current = null, of = "measurement", points = [], stops = [];
const toggled = new Set(); // labels of the fits that the reader wants to see, whichever the curve

/** A name as it stands on paper: one letter in italics, alpha as α, what follows _ and digits below; c0 is c with a small 0. */
function symbol(name) {
  const [, base, below] = /^([^_]*?)_?([0-9]*|(?<=_)[^_]*)$/.exec(name) ?? [null, name, ""];
  const letter = { alpha: "α", beta: "β", gamma: "γ", sum: "∑", prod: "∏" }[base] ?? base;
  return [/^[A-Za-zα-ω]$/.test(letter) ? el("i", {}, letter) : letter, below ? el("sub", {}, below) : null];
}

/** Numbers to four digits, exponents raised, letters in italics, * as a dot. */
function formula(text) {
  const math = part => minus(part.replace(/\d+(\.\d+)?(e-?\d+)?/g, (digits, fraction, power, at) => (fraction || power) && !/[A-Za-z_]/.test(part[at - 1] ?? "") ? number(+digits) : digits).replace(/ \* /g, " · "))
    .split(/([A-Za-z]+(?:_[A-Za-z0-9]+|[0-9]+)?)/).map((piece, i) => i % 2 ? symbol(piece) : piece);
  const parts = text.split(/\^(\([^()]*\)|-?[A-Za-z0-9._]+)/);
  return el("p", { class: "formula" }, parts.map((part, i) => i % 2 ? el("sup", {}, math(part.replace(/^\(|\)$/g, ""))) : math(part)));
}

/** logB is log b, or log B where that is the parameter's name. */
function parameterName(name, all) {
  if (!/^log[A-Z]/.test(name)) return symbol(name);
  const inner = name.slice(3), lower = inner[0].toLowerCase() + inner.slice(1);
  return ["log ", symbol(all.some(p => p.name === inner) ? inner : lower)];
}

function parameterTables(curve) {
  const cells = (parameter, i) => [
    el("td", { class: "n" }, withError(parameter.values[i], parameter.errors[i])),
    el("td", { class: "quiet" }, known(parameter.errors[i]) ? `± ${number(parameter.errors[i], 2)}` : "± ?")];
  const scalars = curve.parameters.filter(p => !p.perBreak), vectors = curve.parameters.filter(p => p.perBreak);
  const unknown = curve.parameters.some(p => p.values.some((_, i) => !known(p.errors[i])));
  return [
    el("table", {}, el("tbody", {}, scalars.map(p => el("tr", {}, el("th", { scope: "row" }, parameterName(p.name, curve.parameters)), cells(p, 0))))),
    vectors.length ? el("div", { class: "wide" }, el("table", {},
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "break"), vectors.map(p => el("th", { scope: "colgroup", colspan: 2, class: "middle" }, symbol(p.name))))),
      el("tbody", {}, vectors[0].values.map((_, i) => el("tr", {}, el("th", { scope: "row" }, String(i + 1)), vectors.map(p => cells(p, i))))))) : null,
    unknown ? el("p", { class: "quiet" }, "± ?: the data do not determine it, or it is held at a bound.") : null,
  ];
}

function fitTable(curve) {
  // The law is said once where all have the same.
  const law = label => label.replace(/, \d+ breaks?$/, ""), same = curve.fits.every(fit => /, \d+ breaks?$/.test(fit.label) && law(fit.label) === law(curve.fits[0].label));
  const short = label => same ? label.slice(law(label).length + 2) : label;
  const rows = curve.fits.map((fit, i) => {
    const box = el("input", { type: "checkbox", checked: toggled.has(fit.label), change: event => {
      toggled[event.target.checked ? "add" : "delete"](fit.label);
      drawOne();
    } });
    const name = [curve.againstFitted ? null : el("svg", { viewBox: "0 0 24 10", "aria-hidden": "true" }, el("path", { ...style(curve, i), d: "M0 5H24" })), short(fit.label) + (i === curve.chosen ? ", chosen" : "")];
    return el("tr", {}, el("th", { scope: "row" }, curve.againstFitted ? name : el("label", {}, el("span", { class: "control" }, box), name)),
      el("td", { class: "n" }, number(scored(fit, ""), 3)),
      curve.points[1] ? el("td", { class: "n" }, number(scored(fit, "HeldOut"), 3)) : null,
      el("td", { class: "n" }, known(fit.aicc) ? minus(fit.aicc.toFixed(1)) : "–"),
      el("td", { class: "n" }, missed(fit.missed)),
      fit.termination ? el("td", {}, fit.termination) : null);
  });
  return el("div", { class: "wide fits" }, el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "fit"), el("th", { scope: "col", class: "n" }, metric),
    curve.points[1] ? el("th", { scope: "col", class: "n" }, "held out") : null, el("th", { scope: "col", class: "n" }, "AICc"), el("th", { scope: "col", class: "n", title: "Chance that a hundred times the starts would find a lower minimum" }, "missed"))), el("tbody", {}, rows)));
}

function scoreList(curve) {
  const { scores, points } = curve, rows = [[metric + " at fitted points", number(scored(scores, ""))]];
  if (points[1]) rows.push([metric + " held out", number(scored(scores, "HeldOut")) + (ofLog && scores.rmsleHeldOutError > 0 ? ` ± ${number(scores.rmsleHeldOutError, 2)}` : "")]);
  if (known(scores.forecast)) rows.push(["RMSLE of the forecast, held out", number(scores.forecast)]);
  if (known(scores.coverage)) rows.push(["held out within its 80 % interval", percent(scores.coverage)]);
  return el("table", {}, el("tbody", {}, rows.map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "n" }, value)))));
}

function showOne(curve) {
  current = curve;
  const shown = shownCurves(), at = shown.indexOf(curve);
  find("one-title").textContent = curve.name;
  find("one-place").textContent = at < 0 ? "" : `${at + 1} of ${shown.length}`;
  find("previous").disabled = at <= 0;
  find("next").disabled = at < 0 || at === shown.length - 1;
  const facts = [];
  if (curve.warnings.length) facts.push(el("h3", {}, curve.warnings.length === 1 ? "Warning" : "Warnings"), el("ul", { class: "warnings" }, curve.warnings.map(text => el("li", {}, text))));
  if (curve.best) {
    facts.push(el("h3", {}, "Chosen fit: " + curve.best.label), formula(curve.formula ?? curve.law));
    if (curve.formula) facts.push(el("details", {}, el("summary", {}, "as text"), el("p", { class: "plain" }, curve.formula)));
    facts.push(el("h3", {}, "Parameters"), ...parameterTables(curve), el("h3", {}, "Scores"), scoreList(curve), el("h3", {}, "Fits side by side"), fitTable(curve));
  }
  if (curve.forecast) {
    const choose = (value, text) => el("label", {}, el("input", { type: "radio", name: "of", checked: of === value, change: () => { of = value; drawOne(); } }), " " + text + " ");
    facts.push(el("div", { class: "control" }, el("h3", {}, "Intervals of"), choose("measurement", "a measurement"), choose("curve", "the curve itself")));
  }
  find("facts-of-one").replaceChildren(...facts.filter(Boolean));
  // The slider goes along the line and stops at every drawn point.
  const drawn = curve.fit ? [["fitted", curve.fit], ["held out", curve.heldOut]].flatMap(([kind, p]) => p.x.map((x, i) => ({ kind, i, x, y: p.y[i], inputs: p.inputs?.slice(i * curve.xNames.length, (i + 1) * curve.xNames.length) }))) : [];
  points = drawn.filter(p => known(p.x) && known(p.y));
  stops = [...points.map(point => ({ x: point.x, point })), ...(curve.againstFitted ? [] : curve.x ?? []).map(x => ({ x, point: null }))].sort((a, b) => a.x - b.x);
  find("probe").hidden = stops.length === 0;
  find("probe-name").textContent = curve.againstFitted ? `${curve.yName}, fitted` : curve.xNames[0];
  find("probe-x").max = Math.max(stops.length - 1, 0);
  find("probe-x").value = stops.length - 1;
  drawOne();
}

let marks = null; // the cross-hair of the large chart
function drawOne() {
  const curve = current, shown = { fits: new Set(curve.fits.flatMap((fit, i) => toggled.has(fit.label) ? [i] : [])), of };
  const wide = Math.max(320, Math.min(find("chart").clientWidth || 900, 1100)), tall = Math.round(Math.min(Math.max(wide * .62, 290), 620));
  const svg = chart(curve, wide, tall, false, shown);
  const [n, m, copies] = curve.points, drawn = (p, all, word) => p && p.x.length < all ? `${all.toLocaleString("en")} ${word}, ${p.x.length.toLocaleString("en")} drawn: the least, median and largest of each short stretch of x` : `${all.toLocaleString("en")} ${word}`;
  find("key").replaceChildren(...key([
    n > 0 && ["fitted", drawn(curve.fit, n, "fitted") + (copies ? `, ${copies.toLocaleString("en")} exact ${copies === 1 ? "copy" : "copies"} dropped` : "")],
    m > 0 && [n + m > 100 ? "heldOut" : "hollow", drawn(curve.heldOut, m, "held out")],
    curve.againstFitted ? ["equal", "fitted = measured"] : curve.best && ["forecast", curve.forecast ? "forecast" : "chosen fit"],
    curve.forecast && ["bands", `${levelNames} intervals of ${of === "curve" ? "the curve" : "a measurement"}`],
    curve.best?.d.length && !curve.againstFitted && ["break", "break"],
  ]));
  if (!svg) {
    find("chart").replaceChildren(el("p", { class: "nothing" }, "no point that can be drawn"));
    find("readout").replaceChildren();
    return;
  }
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", description(curve));
  marks = el("g", { "aria-hidden": "true" });
  svg.append(marks);
  const { left, right, x, y } = svg.axes;
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect(), scale = wide / box.width;
    const at = Math.min(Math.max((event.clientX - box.left) * scale, left), right), over = (event.clientY - box.top) * scale;
    read(svg.axes, x.value(at), nearest(svg.axes, at, over));
  });
  find("chart").replaceChildren(svg);
  read(svg.axes, null, null);
  find("probe-x").oninput = () => {
    const stop = stops[find("probe-x").value];
    read(svg.axes, stop.x, stop.point);
    find("probe-x").setAttribute("aria-valuetext", [...find("readout").children].map(row => row.firstChild.textContent + ": " + row.lastChild.textContent).join(", "));
  };
}

/** The chart in a sentence. */
function description(curve) {
  const scale = (log, name) => `${name} on a ${log ? "logarithmic" : "linear"} axis`;
  const [n, m] = curve.points, line = mainLine(curve);
  let text = curve.againstFitted ? `Measured against fitted ${curve.yName}: ${count(n, "point")} fitted, ${m} held out.`
    : `${scale(curve.logY, curve.yName)} against ${scale(curve.logX, curve.xNames[0])}: ${count(n, "point")} fitted, ${m} held out.`;
  if (line && curve.x) {
    const last = curve.x.length - 1;
    text += ` The ${curve.forecast ? "forecast" : "chosen fit"} goes from ${number(line[0], 3)} at ${number(curve.x[0], 3)} to ${number(line[last], 3)} at ${number(curve.x[last], 3)}.`;
    if (curve.forecast && known(bands(curve, of)[1].lower[last])) text += ` Its 80 % interval is there ${range(bands(curve, of)[1].lower[last], bands(curve, of)[1].upper[last])}.`;
    if (curve.best?.d.length) text += ` Breaks at ${curve.best.d.map(d => number(d, 3)).join(", ")}.`;
  }
  return text;
}

/** The nearest drawn point to a place within reach. */
function nearest({ x, y }, at, over) {
  let best = null, least = 28;
  for (const point of points) {
    if (!x.has(point.x) || !y.has(point.y)) continue;
    const distance = Math.hypot(x.place(point.x) - at, y.place(point.y) - over);
    if (distance < least) [best, least] = [point, distance];
  }
  return best;
}

/** Shows the values at some x; those of a point where one is near. */
function read({ x, y, top, bottom }, at, point) {
  const curve = current, rows = [];
  marks.replaceChildren();
  if (at === null) {
    find("readout").replaceChildren(el("p", { class: "quiet" }, "Point at the chart, or move the slider, to read values."));
    return;
  }
  if (curve.againstFitted) {
    if (!point) return read({ x, y, top, bottom }, null, null);
    curve.xNames.forEach((name, k) => rows.push([name, number(point.inputs[k], 5)]));
    rows.push([`${curve.yName}, ${point.kind}`, number(point.y, 5)], [`${curve.yName} of the fit`, number(point.x, 5)]);
  } else {
    if (point) at = point.x;
    rows.push([curve.xNames[0], number(at, 5)]);
    const line = between(curve, mainLine(curve), at);
    marks.append(el("path", { class: "cross", d: `M${x.place(at)} ${top}V${bottom}` }));
    rows.push([point ? `${curve.yName}, ${point.kind}` : curve.yName, point ? number(point.y, 5) : "–"]);
    if (curve.best) rows.push([curve.forecast ? "forecast" : "chosen fit", number(line, 5)]);
    if (curve.forecast) bands(curve, of).forEach(({ lower, upper }, k) => {
      const low = between(curve, lower, at);
      rows.push([`${Math.round(100 * levels[k])} %${of === "curve" ? " of the curve" : ""}`, known(low) ? range(low, between(curve, upper, at)) : "–"]);
    });
    curve.fits.forEach(fit => toggled.has(fit.label) && rows.push([fit.label, number(between(curve, fit.y, at), 5)]));
    if (y.has(line) && y.place(line) >= top && y.place(line) <= bottom) marks.append(el("circle", { class: "reading", cx: x.place(at), cy: y.place(line), r: 4 }));
  }
  if (point && x.has(point.x) && y.has(point.y)) marks.append(el("circle", { class: "picked", cx: x.place(point.x), cy: y.place(point.y), r: 6.5 }));
  find("readout").replaceChildren(...rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

// ---- opening, closing, moving: the address says which curve is open ----

function open() {
  const match = /^#curve\/(.*)$/.exec(location.hash);
  let name = null;
  try { name = match && decodeURIComponent(match[1]); } catch { /* not an address of ours */ }
  const curve = name === null ? null : byName.get(name);
  if (!curve) {
    if (one.open) one.close();
    return;
  }
  const again = one.open;
  if (!again) one.showModal();
  showOne(curve);
  if (!again) find("one-title").focus();
  one.scrollTop = 0;
}
function move(by) {
  const shown = shownCurves(), next = shown[shown.indexOf(current) + by];
  if (next) location.replace(next.href);
}
addEventListener("hashchange", open);
one.addEventListener("close", () => {
  if (location.hash.startsWith("#curve/")) history.replaceState(null, "", location.pathname + location.search);
  const card = cards.get(current);
  if (card.isConnected) {
    card.scrollIntoView({ block: "nearest" });
    card.focus({ preventScroll: true });
  }
});
one.addEventListener("click", event => { if (event.target === one) one.close(); }); // outside of it
one.addEventListener("keydown", event => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || /^(range|radio|text|search)$/.test(event.target.type)) return;
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    event.preventDefault();
    move(event.key === "ArrowLeft" ? -1 : 1);
  }
});
find("previous").addEventListener("click", () => move(-1));
find("next").addEventListener("click", () => move(1));
find("close").addEventListener("click", () => one.close());
let resizing = 0;
addEventListener("resize", () => { cancelAnimationFrame(resizing); resizing = requestAnimationFrame(() => one.open && drawOne()); });

// ---- theme ----

const theme = find("theme");
// Storage may be forbidden to a file; the choice then lasts as long as the page.
try { theme.value = localStorage.getItem("bnsl-theme") ?? ""; } catch { /* see above */ }
function paint() {
  if (theme.value) document.documentElement.dataset.theme = theme.value;
  else delete document.documentElement.dataset.theme;
}
theme.addEventListener("change", () => {
  paint();
  try { localStorage.setItem("bnsl-theme", theme.value); } catch { /* see above */ }
});
paint();
open();
})();
