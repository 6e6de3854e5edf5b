//===- Html.h - one page that needs nothing else ----------------------------===//
//
// Headings, text, tables, figures and pictures in one HTML file: style and drawings inline,
// pictures as data, no scripts, nothing loaded. Reads on a screen, on paper and aloud.
//
//===----------------------------------------------------------------------===//
#ifndef UN0_RUNTIME_REPORT_HTML_H
#define UN0_RUNTIME_REPORT_HTML_H

#include "Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace un0::report {

/// A cell's text is escaped unless it is HTML already.
struct Cell {
  std::string text;
  bool isHtml = false;
  Cell(std::string text) : text(std::move(text)) {}
  Cell(const char *text) : text(text) {}
  static Cell html(std::string text) {
    Cell cell(std::move(text));
    cell.isHtml = true;
    return cell;
  }
};

struct Table {
  struct Column {
    std::string name;
    bool number = false; // right-aligned, digits of equal width
    bool wide = false;   // for sentences
    bool words = false;  // for a few words
  };
  std::string caption;
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
  std::vector<size_t> strong; // rows that are sums
};

class Page {
public:
  Page(std::string title, std::string subtitle);
  void heading(const std::string &text);
  void paragraph(const std::string &text);
  void note(const std::string &text); // set apart: what the reader must not miss
  void table(const Table &table);
  /// A drawing with words below it.
  void figure(const std::string &svg, const std::string &caption);
  void html(const std::string &html) { body += html; }
  /// Big figures first: name, value, remark.
  struct Tile {
    std::string name, value, remark;
  };
  void tiles(const std::vector<Tile> &tiles);
  std::string str() const;

private:
  std::string title, subtitle, body;
};

/// Pictures of one model, [count][channels][height][width] in [-1, 1].
struct Pictures {
  uint32_t channels = 0, height = 0, width = 0;
  std::vector<int64_t> labels;
  std::vector<float> pixels;
  uint64_t total = 0; // that were made, where not all are here; 0: all are
  size_t count() const { return labels.size(); }
};

/// Pixels as a picture file shows them, 3 bytes each: value x becomes clamp((x + 1) / 2 * 255).
/// `images` are put side by side with `gap` white pixels between them.
struct Strip {
  uint32_t width = 0, height = 0;
  std::vector<uint8_t> rgb;
};
Strip makeStrip(const Pictures &pictures, const std::vector<size_t> &images, uint32_t gap = 1);

/// <img> with a PNG in it, shown `zoom` times as large. `alternative` is what it shows, in words.
std::string pictureElement(const Strip &strip, const std::string &alternative, double zoom = 2);

/// PNG bytes of a strip; empty when it has no pixels or memory cannot be had.
std::vector<uint8_t> encodePng(const Strip &strip);

/// Rows of pictures, one per class, with the class beside it; at most `mostRows` x `mostColumns`,
/// and words for what was left out.
std::string pictureRows(const Pictures &pictures, size_t mostRows = 20, size_t mostColumns = 12);

/// Writes a file that appears whole or not at all, unless `path` is a device or a pipe.
rt::Status writeFile(const std::string &path, const std::string &text);

} // namespace un0::report

#endif // UN0_RUNTIME_REPORT_HTML_H
