//===- Html.cpp - one page that needs nothing else --------------------------===//
#include "Html.h"
#include "OutputPath.h"

#include "Text.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <png.h>
#include <sys/stat.h>
#include <unistd.h>

namespace un0::report {

static constexpr char kStyle[] = R"(
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; color: #222;
  background: #fff; max-width: 74rem; margin: 2.2rem auto 4rem; padding: 0 1.2rem; }
h1 { font-size: 1.65rem; line-height: 1.25; margin: 0 0 .2rem; font-weight: 600; }
.subtitle { color: #555; margin: 0 0 1.6rem; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; padding-top: .7rem; border-top: 1px solid #ddd; font-weight: 600; }
p { margin: .5rem 0; max-width: 48rem; }
.note { border-left: 3px solid #b8860b; padding: .3rem .9rem; background: #fbf8ef; max-width: 48rem; }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1rem 0; }
.tile { border: 1px solid #ddd; border-radius: 4px; padding: .55rem .9rem; min-width: 10.5rem; flex: 1; }
.tile .name { font-size: .8rem; color: #555; }
.tile .value { font-size: 1.4rem; font-weight: 600; line-height: 1.3; }
.tile .remark { font-size: .8rem; color: #555; }
figure { margin: 1rem 0; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; display: block; }
figcaption { font-size: .85rem; color: #555; max-width: 48rem; margin-top: .3rem; }
.scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .84rem; line-height: 1.4; }
caption { text-align: left; color: #555; padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .28rem .75rem .28rem 0; border-bottom: 1px solid #e6e6e6; }
th { font-weight: 600; border-bottom: 1px solid #999; vertical-align: bottom; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
td.words { min-width: 9rem; }
td.wide { min-width: 17rem; overflow-wrap: anywhere; }
tr.sum td { font-weight: 600; }
img { image-rendering: pixelated; display: block; }
.row { display: flex; align-items: center; gap: .7rem; margin: 2px 0; }
.row .label { min-width: 4.5rem; text-align: right; font-size: .8rem; color: #555; }
.tag { font-size: .75rem; border: 1px solid #bbb; border-radius: 3px; padding: 0 .3rem; white-space: nowrap; }
.tag.assumption { border-color: #b8860b; background: #fbf8ef; }
.tag.measured { border-color: #009e73; background: #eef8f5; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } h2 { break-after: avoid; }
  figure, tr, .tiles { break-inside: avoid; } .scroll, figure { overflow: visible; } table { font-size: 7.5pt; } }
)";

Page::Page(std::string title, std::string subtitle)
    : title(std::move(title)), subtitle(std::move(subtitle)) {}

void Page::heading(const std::string &text) { body += "<h2>" + escape(text) + "</h2>\n"; }
void Page::paragraph(const std::string &text) { body += "<p>" + escape(text) + "</p>\n"; }
void Page::note(const std::string &text) { body += "<p class=\"note\">" + escape(text) + "</p>\n"; }

void Page::table(const Table &table) {
  body += "<div class=\"scroll\"><table>\n";
  if (!table.caption.empty())
    body += "<caption>" + escape(table.caption) + "</caption>\n";
  body += "<thead><tr>";
  for (const Table::Column &column : table.columns)
    body += std::string("<th scope=\"col\"") + (column.number ? " class=\"number\">" : ">") +
            escape(column.name) + "</th>";
  body += "</tr></thead>\n<tbody>\n";
  for (size_t r = 0; r < table.rows.size(); ++r) {
    const bool strong =
        std::find(table.strong.begin(), table.strong.end(), r) != table.strong.end();
    body += strong ? "<tr class=\"sum\">" : "<tr>";
    const std::vector<Cell> &row = table.rows[r];
    for (size_t c = 0; c < row.size(); ++c) {
      const Table::Column *column = c < table.columns.size() ? &table.columns[c] : nullptr;
      body += std::string(column && column->number  ? "<td class=\"number\">"
                          : column && column->wide  ? "<td class=\"wide\">"
                          : column && column->words ? "<td class=\"words\">"
                                                    : "<td>") +
              (row[c].isHtml ? row[c].text : escape(row[c].text)) + "</td>";
    }
    body += "</tr>\n";
  }
  body += "</tbody></table></div>\n";
}

void Page::figure(const std::string &svg, const std::string &caption) {
  body += "<figure>\n" + svg + "<figcaption>" + escape(caption) + "</figcaption></figure>\n";
}

void Page::tiles(const std::vector<Tile> &tiles) {
  body += "<div class=\"tiles\">\n";
  for (const Tile &tile : tiles)
    body += "<div class=\"tile\"><div class=\"name\">" + escape(tile.name) +
            "</div><div class=\"value\">" + escape(tile.value) + "</div><div class=\"remark\">" +
            escape(tile.remark) + "</div></div>\n";
  body += "</div>\n";
}

std::string Page::str() const {
  // The policy makes a browser refuse what the page must not do anyway: load or run anything.
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'; img-src data:\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<link rel=\"icon\" href=\"data:,\">\n<title>" +
         escape(title) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<main>\n<h1>" +
         escape(title) + "</h1>\n<p class=\"subtitle\">" + escape(subtitle) + "</p>\n" + body +
         "</main>\n</body>\n</html>\n";
}

static uint8_t toByte(float value) {
  // The comparison is also false for NaN, which then is black.
  const float scaled = (value + 1.0f) / 2.0f * 255.0f;
  return scaled > 0.0f ? uint8_t(std::lround(std::min(scaled, 255.0f))) : 0;
}

Strip makeStrip(const Pictures &pictures, const std::vector<size_t> &images, uint32_t gap) {
  Strip strip;
  if (images.empty() || (pictures.channels != 1 && pictures.channels != 3))
    return strip;
  strip.height = pictures.height;
  strip.width = uint32_t(images.size()) * (pictures.width + gap) - gap;
  strip.rgb.assign(size_t(strip.width) * strip.height * 3, 255);
  const size_t plane = size_t(pictures.height) * pictures.width;
  for (size_t i = 0; i < images.size(); ++i) {
    const float *image = pictures.pixels.data() + images[i] * pictures.channels * plane;
    for (uint32_t y = 0; y < pictures.height; ++y)
      for (uint32_t x = 0; x < pictures.width; ++x)
        for (uint32_t c = 0; c < 3; ++c)
          strip.rgb[(size_t(y) * strip.width + i * (pictures.width + gap) + x) * 3 + c] = toByte(
              image[(pictures.channels == 1 ? 0 : c) * plane + size_t(y) * pictures.width + x]);
  }
  return strip;
}

std::vector<uint8_t> encodePng(const Strip &strip) {
  std::vector<uint8_t> bytes;
  if (strip.rgb.empty())
    return bytes;
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = strip.width;
  image.height = strip.height;
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  if (!png_image_write_to_memory(&image, nullptr, &size, 0, strip.rgb.data(), 0, nullptr))
    return bytes;
  bytes.resize(size);
  if (!png_image_write_to_memory(&image, bytes.data(), &size, 0, strip.rgb.data(), 0, nullptr))
    return {};
  bytes.resize(size);
  return bytes;
}

std::string pictureElement(const Strip &strip, const std::string &alternative, double zoom) {
  const std::vector<uint8_t> png = encodePng(strip);
  if (png.empty())
    return "<span>no picture</span>";
  return format("<img width=\"%.0f\" height=\"%.0f\" alt=\"", strip.width * zoom,
                strip.height * zoom) +
         escape(alternative) + "\" src=\"data:image/png;base64," + base64(png.data(), png.size()) +
         "\">";
}

std::string pictureRows(const Pictures &pictures, size_t mostRows, size_t mostColumns) {
  std::map<int64_t, std::vector<size_t>> rows;
  for (size_t i = 0; i < pictures.count(); ++i)
    rows[pictures.labels[i]].push_back(i);
  std::string html;
  size_t shown = 0, done = 0;
  const double zoom = pictures.height <= 32 ? 2 : 1;
  for (auto &[label, images] : rows) {
    if (done++ == mostRows)
      break;
    if (images.size() > mostColumns)
      images.resize(mostColumns);
    shown += images.size();
    const std::string name = label < 0 ? "no class" : "class " + std::to_string(label);
    html += "<div class=\"row\"><span class=\"label\">" + name + "</span>" +
            pictureElement(makeStrip(pictures, images),
                           std::to_string(images.size()) + " pictures of " + name, zoom) +
            "</div>\n";
  }
  const uint64_t total = pictures.total ? pictures.total : pictures.count();
  if (shown < total)
    html += "<p>" + std::to_string(total - shown) + " more of " + std::to_string(total) +
            " pictures are not shown.</p>\n";
  return html;
}

rt::Status writeFile(const std::string &path, const std::string &text) {
  auto failed = [&](int reason) {
    return rt::failure(UN0_ERROR_IO, "cannot write '%s': %s", path.c_str(), std::strerror(reason));
  };
  const OutputPath target = resolveOutput(path);
  std::string temporary;
  int fd;
  if (target.inPlace) {
    fd = ::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  } else {
    temporary = target.name + ".XXXXXX";
    fd = mkostemp(temporary.data(), O_CLOEXEC);
    if (fd >= 0) {
      // mkostemp makes private files; give what open() would have given.
      const mode_t mask = umask(0);
      umask(mask);
      (void)fchmod(fd, 0666 & ~mask);
    }
  }
  if (fd < 0)
    return failed(errno);
  int reason = 0;
  for (size_t done = 0; done < text.size() && !reason;) {
    const ssize_t written = ::write(fd, text.data() + done, text.size() - done);
    if (written > 0)
      done += size_t(written);
    else if (written == 0 || errno != EINTR)
      reason = written == 0 ? ENOSPC : errno;
  }
  // Some file systems report a full disk only here.
  if (::close(fd) != 0 && !reason)
    reason = errno;
  if (!reason && !temporary.empty() && std::rename(temporary.c_str(), target.name.c_str()) != 0)
    reason = errno;
  if (!reason)
    return {};
  if (!temporary.empty())
    unlink(temporary.c_str());
  return failed(reason);
}

} // namespace un0::report
