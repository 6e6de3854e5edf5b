//===- Svg.cpp - drawings ---------------------------------------------------===//
#include "Svg.h"

#include "Text.h"

#include <algorithm>
#include <cmath>

namespace un0::report {

const char *seriesColour(size_t index) {
  static constexpr const char *colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                            "#56b4e9", "#b8860b", "#6b4fa0", "#555555"};
  return colours[index % (sizeof colours / sizeof *colours)];
}

/// Coordinates to a hundredth of a pixel, without trailing zeros.
static std::string coordinate(double value) {
  std::string text = format("%.2f", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.')
    text.pop_back();
  return text == "-0" ? "0" : text;
}

Svg::Svg(double width, double height, const std::string &title, const std::string &description)
    : width(width), height(height), title(title), description(description) {}

static std::string tipElement(const std::string &tip) {
  return tip.empty() ? std::string() : "<title>" + escape(tip) + "</title>";
}

void Svg::rect(double x, double y, double w, double h, const std::string &fill,
               const std::string &tip) {
  body += "<rect x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" width=\"" + coordinate(w) +
          "\" height=\"" + coordinate(h) + "\" fill=\"" + fill + "\">" + tipElement(tip) +
          "</rect>\n";
}

static std::string strokeAttributes(const std::string &stroke, double width,
                                    const std::string &dashes) {
  return " stroke=\"" + stroke + "\" stroke-width=\"" + coordinate(width) + "\"" +
         (dashes.empty() ? "" : " stroke-dasharray=\"" + dashes + "\"");
}

void Svg::line(Point from, Point to, const std::string &stroke, double width,
               const std::string &dashes) {
  body += "<line x1=\"" + coordinate(from.x) + "\" y1=\"" + coordinate(from.y) + "\" x2=\"" +
          coordinate(to.x) + "\" y2=\"" + coordinate(to.y) + "\"" +
          strokeAttributes(stroke, width, dashes) + "/>\n";
}

void Svg::polyline(const std::vector<Point> &points, const std::string &stroke, double width,
                   double opacity, const std::string &dashes) {
  body += "<polyline fill=\"none\" stroke-linejoin=\"round\" points=\"";
  for (const Point &point : points)
    body += coordinate(point.x) + "," + coordinate(point.y) + " ";
  body += "\"" + strokeAttributes(stroke, width, dashes);
  if (opacity != 1)
    body += " opacity=\"" + coordinate(opacity) + "\"";
  body += "/>\n";
}

void Svg::mark(Point at, size_t shape, const std::string &fill, const std::string &tip) {
  const std::string x = coordinate(at.x), y = coordinate(at.y);
  const std::string ink = "fill=\"" + fill + "\" stroke=\"#fff\" stroke-width=\"0.8\">";
  if (shape % 4 == 0) {
    body += "<circle cx=\"" + x + "\" cy=\"" + y + "\" r=\"4\" " + ink + tipElement(tip) +
            "</circle>\n";
    return;
  }
  static constexpr const char *outlines[] = {"", "M-3.6-3.6h7.2v7.2h-7.2z", "M0-4.6L4.4 3.6h-8.8z",
                                             "M0-5L5 0L0 5L-5 0z"};
  body += "<path transform=\"translate(" + x + " " + y + ")\" d=\"" + outlines[shape % 4] + "\" " +
          ink + tipElement(tip) + "</path>\n";
}

void Svg::text(Point at, const std::string &text, Anchor anchor, double size,
               const std::string &fill, double turned) {
  static constexpr const char *anchors[] = {"start", "middle", "end"};
  body += "<text x=\"" + coordinate(at.x) + "\" y=\"" + coordinate(at.y) + "\" text-anchor=\"" +
          anchors[int(anchor)] + "\" font-size=\"" + coordinate(size) + "\" fill=\"" + fill + "\"";
  if (turned)
    body += " transform=\"rotate(" + coordinate(turned) + " " + coordinate(at.x) + " " +
            coordinate(at.y) + ")\"";
  body += ">" + escape(text) + "</text>\n";
}

std::string Svg::str() const {
  // The title and description are what a screen reader says; `role` makes it one picture.
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 " +
         coordinate(width) + " " + coordinate(height) + "\" width=\"" + coordinate(width) +
         "\" font-family=\"system-ui, sans-serif\">\n<title>" + escape(title) + "</title>\n<desc>" +
         escape(description) + "</desc>\n" + body + "</svg>\n";
}

/// 1, 2 or 5 times a power of ten: at least `least`.
static double roundStep(double least) {
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (double factor : {1.0, 2.0, 5.0})
    if (factor * power >= least * (1 - 1e-9))
      return factor * power;
  return 10 * power;
}

static constexpr int kTicks = 6;

Axis::Axis(double low, double high, bool logarithmic, double from, double to)
    : first(low), last(high), logarithmic(logarithmic), from(from), to(to) {
  if (logarithmic) {
    // Whole decades where there are several, halves of the gap beside the values otherwise.
    if (last <= first)
      last = first * 10;
    if (last / first >= 30) {
      first = std::pow(10.0, std::floor(std::log10(first) + 1e-9));
      last = std::pow(10.0, std::ceil(std::log10(last) - 1e-9));
    } else {
      const double room = std::pow(last / first, 0.08);
      first /= room;
      last *= room;
    }
    return;
  }
  if (last <= first)
    last = first + (first == 0 ? 1 : std::fabs(first));
  const double step = roundStep((last - first) / (kTicks - 1));
  first = std::floor(first / step + 1e-9) * step;
  last = std::ceil(last / step - 1e-9) * step;
}

double Axis::at(double value) const {
  const double part = logarithmic ? std::log(value / first) / std::log(last / first)
                                  : (value - first) / (last - first);
  return from + part * (to - from);
}

std::vector<double> Axis::ticks() const {
  std::vector<double> result;
  const double decades = logarithmic ? std::log10(last / first) : 0;
  if (logarithmic && decades < 0.8) {
    // So near to linear that even steps read better than 1, 2, 5.
    const double step = roundStep((last - first) / (kTicks - 1));
    for (double value = std::ceil(first / step) * step; value <= last * (1 + 1e-9); value += step)
      result.push_back(value);
    return result;
  }
  if (!logarithmic) {
    const double step = roundStep((last - first) / (kTicks - 1) * 0.999);
    for (int i = 0; first + i * step <= last + 1e-9 * step; ++i)
      // Values of a rounding error beside zero would be shown as such.
      result.push_back(std::fabs(first + i * step) < 1e-9 * step ? 0 : first + i * step);
    return result;
  }
  const int every = std::max(1, int(std::ceil(decades / (kTicks + 2))));
  const int from10 = int(std::floor(std::log10(first) - 1e-9));
  for (int power = from10; std::pow(10.0, power) <= last * (1 + 1e-9); power += every)
    for (double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10.0, power);
      if (value >= first * (1 - 1e-9) && value <= last * (1 + 1e-9) &&
          (factor == 1 || decades < 2.5))
        result.push_back(value);
    }
  return result;
}

static constexpr const char *kGrid = "#e3e3e3", *kInk = "#333", *kAxisInk = "#888";

/// Ticks as numbers with SI prefixes, without the decimals that nobody needs.
static std::string tickText(double value, const char *unit) {
  if (value == 0)
    return "0";
  std::string text = quantity(value, unit);
  const size_t space = text.find(' ');
  std::string number = text.substr(0, space);
  if (number.find('.') != number.npos) {
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.')
      number.pop_back();
  }
  const std::string rest = text.substr(space);
  return rest == " " ? number : number + rest;
}

static std::string plotTick(double value, bool prefixes) {
  return prefixes ? tickText(value, "") : format("%.6g", value);
}

/// Roughly how wide a text is; exact widths are the viewer's business.
static double textWidth(const std::string &text, double size) {
  size_t characters = 0;
  for (unsigned char c : text)
    characters += (c & 0xc0) != 0x80;
  return double(characters) * size * 0.56;
}

std::string stackedBars(const std::string &title, const std::string &description,
                        const std::vector<Bar> &bars, const char *unit, bool shares) {
  double nameWidth = 40, noteWidth = 24;
  for (const Bar &bar : bars) {
    nameWidth = std::max(nameWidth, textWidth(bar.name, 12) + 12);
    noteWidth = std::max(noteWidth, textWidth(bar.note, 12) + 14);
  }
  constexpr double width = 820, barHeight = 26, pitch = 38, top = 8;
  const double plotWidth = std::max(200.0, width - nameWidth - noteWidth);
  const double bottom = top + pitch * double(bars.size());

  // A legend of names in order of first appearance, as many to a line as fit.
  std::vector<const Segment *> names;
  for (const Bar &bar : bars)
    for (const Segment &segment : bar.segments)
      if (std::none_of(names.begin(), names.end(),
                       [&](const Segment *known) { return known->name == segment.name; }))
        names.push_back(&segment);
  double legendX = nameWidth, legendY = bottom + 44;
  std::vector<Point> places;
  for (const Segment *segment : names) {
    const double needed = textWidth(segment->name, 12) + 30;
    if (legendX > nameWidth && legendX + needed > width) {
      legendX = nameWidth;
      legendY += 18;
    }
    places.push_back({legendX, legendY});
    legendX += needed;
  }

  double largest = 0;
  for (const Bar &bar : bars) {
    double sum = 0;
    for (const Segment &segment : bar.segments)
      sum += segment.value;
    largest = std::max(largest, sum);
  }
  Axis axis(0, shares ? 100 : largest, false, nameWidth, nameWidth + plotWidth);
  Svg svg(width, legendY + 12, title, description);
  for (double tick : axis.ticks()) {
    const double x = axis.at(tick);
    svg.line({x, top}, {x, bottom}, kGrid);
    svg.text({x, bottom + 16}, shares ? format("%.0f %%", tick) : tickText(tick, unit),
             Anchor::Middle, 11, kInk);
  }
  for (size_t i = 0; i < bars.size(); ++i) {
    const Bar &bar = bars[i];
    const double y = top + pitch * double(i) + (pitch - barHeight) / 2;
    double sum = 0, done = 0;
    for (const Segment &segment : bar.segments)
      sum += segment.value;
    const double scale = shares ? (sum > 0 ? 100 / sum : 0) : 1;
    svg.text({nameWidth - 8, y + barHeight / 2 + 4}, bar.name, Anchor::End, 12, kInk);
    for (const Segment &segment : bar.segments) {
      if (!(segment.value > 0))
        continue;
      const double from = axis.at(done * scale), to = axis.at((done + segment.value) * scale);
      svg.rect(from, y, to - from, barHeight, segment.colour,
               segment.name + ": " + quantity(segment.value, unit) + ", " +
                   percent(segment.value / sum));
      // A hairline tells neighbours of like colour apart.
      if (to - from > 2)
        svg.line({to, y}, {to, y + barHeight}, "#fff", 0.8);
      done += segment.value;
    }
    svg.text({axis.at(done * scale) + 6, y + barHeight / 2 + 4}, bar.note, Anchor::Start, 12, kInk);
  }
  svg.line({nameWidth, top}, {nameWidth, bottom}, kAxisInk);
  for (size_t i = 0; i < names.size(); ++i) {
    svg.rect(places[i].x, places[i].y - 10, 12, 12, names[i]->colour);
    svg.text({places[i].x + 17, places[i].y}, names[i]->name, Anchor::Start, 12, kInk);
  }
  return svg.str();
}

std::string drawPlot(const Plot &plot) {
  auto shown = [&](const Point &p) {
    return std::isfinite(p.x) && std::isfinite(p.y) && (!plot.xLogarithmic || p.x > 0) &&
           (!plot.yLogarithmic || p.y > 0);
  };
  double xLow = INFINITY, xHigh = -INFINITY, yLow = INFINITY, yHigh = -INFINITY;
  double legendWidth = 0;
  for (const Series &series : plot.series) {
    for (const Point &p : series.points) {
      if (!shown(p))
        continue;
      xLow = std::min(xLow, p.x), xHigh = std::max(xHigh, p.x);
      yLow = std::min(yLow, p.y), yHigh = std::max(yHigh, p.y);
    }
    if (plot.legend && !series.name.empty())
      legendWidth = std::max(legendWidth, textWidth(series.name, 12) + 44);
  }
  if (xLow > xHigh)
    xLow = yLow = 1, xHigh = yHigh = 10;

  constexpr double top = 14, below = 50;
  double left = 74;
  for (const std::string &name : plot.yNames)
    left = std::max(left, textWidth(name, 12) + 16);
  const double right = left + plot.width - 90, bottom = plot.height - below;
  if (!plot.yNames.empty())
    yLow = 0, yHigh = double(plot.yNames.size()) + 1;
  Axis x(xLow, xHigh, plot.xLogarithmic, left, right);
  Axis y(yLow, yHigh, plot.yLogarithmic, bottom, top);
  Svg svg(right + 16 + legendWidth, plot.height, plot.title, plot.description);
  double lastLabel = -INFINITY;
  for (double tick : x.ticks()) {
    const double at = x.at(tick);
    svg.line({at, top}, {at, bottom}, kGrid);
    const std::string text = plotTick(tick, plot.xPrefixes);
    // A label that would touch the one before is left out; its line stays.
    if (at - textWidth(text, 11) / 2 < lastLabel + 6)
      continue;
    svg.text({at, bottom + 16}, text, Anchor::Middle, 11, kInk);
    lastLabel = at + textWidth(text, 11) / 2;
  }
  if (plot.yNames.empty())
    for (double tick : y.ticks()) {
      svg.line({left, y.at(tick)}, {right, y.at(tick)}, kGrid);
      svg.text({left - 6, y.at(tick) + 4}, plotTick(tick, plot.yPrefixes), Anchor::End, 11, kInk);
    }
  for (size_t i = 0; i < plot.yNames.size(); ++i) {
    const double at = y.at(double(i) + 1);
    svg.line({left, at}, {right, at}, kGrid);
    svg.text({left - 8, at + 4}, plot.yNames[i], Anchor::End, 12, kInk);
  }
  svg.line({left, bottom}, {right, bottom}, kAxisInk);
  svg.line({left, top}, {left, bottom}, kAxisInk);
  svg.text({(left + right) / 2, plot.height - 10}, plot.xName, Anchor::Middle, 12, kInk);
  svg.text({16, (top + bottom) / 2}, plot.yName, Anchor::Middle, 12, kInk, -90);

  double legendY = top + 12;
  for (size_t i = 0; i < plot.series.size(); ++i) {
    const Series &series = plot.series[i];
    const std::string colour = series.colour.empty() ? seriesColour(i) : series.colour;
    std::vector<Point> points;
    for (const Point &p : series.points)
      if (shown(p))
        points.push_back({x.at(p.x), y.at(p.y)});
    if (series.line && points.size() > 1)
      svg.polyline(points, colour, series.width, series.opacity, series.dashes);
    for (size_t p = 0; p < series.points.size(); ++p) {
      if (!shown(series.points[p]))
        continue;
      const Point at{x.at(series.points[p].x), y.at(series.points[p].y)};
      const std::string label = p < series.labels.size() ? series.labels[p] : "";
      if (series.marks)
        svg.mark(at, i, colour,
                 (series.name.empty() ? "" : series.name + ": ") +
                     (label.empty() ? "" : label + ": ") +
                     format("%.4g, %.4g", series.points[p].x, series.points[p].y));
      // To the side that has room for it.
      if (!label.empty()) {
        const bool before = at.x + 8 + textWidth(label, 11) > right;
        svg.text({at.x + (before ? -8 : 8), at.y - 7}, label, before ? Anchor::End : Anchor::Start,
                 11, kInk);
      }
    }
    if (!plot.legend || series.name.empty())
      continue;
    const double legendX = right + 14;
    if (series.line)
      svg.line({legendX, legendY - 4}, {legendX + 20, legendY - 4}, colour, 2, series.dashes);
    if (series.marks)
      svg.mark({legendX + 10, legendY - 4}, i, colour);
    svg.text({legendX + 26, legendY}, series.name, Anchor::Start, 12, kInk);
    legendY += 19;
  }
  return svg.str();
}

} // namespace un0::report
