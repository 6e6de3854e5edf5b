//===- Svg.h - drawings -----------------------------------------------------===//
//
// A canvas that writes SVG, axes, and the two kinds of chart that reports need: stacked bars, and
// lines or points between two axes. Every drawing has a title and a description, for who cannot see
// it; marks carry their values as tool tips. No scripts, no fonts, nothing from outside.
//
//===----------------------------------------------------------------------===//
#ifndef UN0_RUNTIME_REPORT_SVG_H
#define UN0_RUNTIME_REPORT_SVG_H

#include <string>
#include <vector>

namespace un0::report {

struct Point {
  double x = 0, y = 0;
};

enum class Anchor { Start, Middle, End };

/// Colours that stay apart for people who see few of them, and on grey paper (Okabe and Ito).
const char *seriesColour(size_t index);

class Svg {
public:
  Svg(double width, double height, const std::string &title, const std::string &description);

  void rect(double x, double y, double width, double height, const std::string &fill,
            const std::string &tip = {});
  void line(Point from, Point to, const std::string &stroke, double width = 1,
            const std::string &dashes = {});
  void polyline(const std::vector<Point> &points, const std::string &stroke, double width = 1.5,
                double opacity = 1, const std::string &dashes = {});
  /// A mark: circle, square, triangle, diamond, by `shape` modulo 4.
  void mark(Point at, size_t shape, const std::string &fill, const std::string &tip = {});
  void text(Point at, const std::string &text, Anchor anchor = Anchor::Start, double size = 12,
            const std::string &fill = "#333", double turned = 0);
  /// The whole <svg> element.
  std::string str() const;

private:
  double width, height;
  std::string title, description, body;
};

/// Maps values to a stretch of the canvas and knows round numbers.
class Axis {
public:
  /// Widened to round numbers, and to something when `low` equals `high`. A logarithmic axis wants
  /// low > 0.
  Axis(double low, double high, bool logarithmic, double from, double to);
  double at(double value) const;
  std::vector<double> ticks() const;
  double low() const { return first; }
  double high() const { return last; }

private:
  double first, last;
  bool logarithmic;
  double from, to;
};

/// One stacked bar: segments in order, values not negative.
struct Segment {
  std::string name;
  double value = 0;
  std::string colour;
};
struct Bar {
  std::string name, note; // the note stands behind the bar
  std::vector<Segment> segments;
};

/// Horizontal stacked bars on one linear scale from 0. `unit` is of the values: ticks carry SI
/// prefixes. With `shares` each bar fills the width and the axis counts percent.
std::string stackedBars(const std::string &title, const std::string &description,
                        const std::vector<Bar> &bars, const char *unit, bool shares = false);

struct Series {
  std::string name;
  std::vector<Point> points;
  std::string colour; // empty: by position
  bool line = true, marks = true;
  std::string dashes; // "4 3"
  double opacity = 1, width = 1.5;
  std::vector<std::string> labels; // beside the points, where not empty
};

struct Plot {
  std::string title, description;
  std::string xName, yName; // with their units
  bool xLogarithmic = false, yLogarithmic = false;
  bool xPrefixes = false, yPrefixes = false; // 10 µ instead of 1e-05: for what has a unit
  std::vector<std::string> yNames;           // names of y = 1, 2, ... instead of numbers
  std::vector<Series> series;
  bool legend = true;
  double width = 680, height = 360;
};

/// Points that a logarithmic axis cannot show (zero or less) or that are not finite are left out.
std::string drawPlot(const Plot &plot);

} // namespace un0::report

#endif // UN0_RUNTIME_REPORT_SVG_H
