//===- Grid.cpp - images on a labelled PNG ----------------------------------===//
#include "Grid.h"

#include "OutputFile.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <png.h>
#include <unordered_map>

namespace un0run {

namespace {

constexpr uint64_t gap = 2; // pixels around each image
constexpr unsigned glyphWidth = 5, glyphHeight = 7;

/// Digits, then '-': seven rows each, the leftmost pixel in bit 4.
constexpr uint8_t glyphs[11][glyphHeight] = {
    {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e}, {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e},
    {0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f}, {0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e},
    {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02}, {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e},
    {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e}, {0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08},
    {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e}, {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c},
    {0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00}};

struct Canvas {
  uint64_t width, height;
  Array<uint8_t> rgb;

  uint8_t *at(uint64_t x, uint64_t y) { return rgb.data() + (y * width + x) * 3; }
};

std::string labelText(int64_t label) { return label < 0 ? "-" : std::to_string(label); }

void drawText(Canvas &canvas, const std::string &text, uint64_t x, uint64_t y, unsigned scale) {
  for (char c : text) {
    const uint8_t *glyph = glyphs[c == '-' ? 10 : c - '0'];
    for (unsigned row = 0; row < glyphHeight * scale; ++row)
      for (unsigned column = 0; column < glyphWidth * scale; ++column)
        if (glyph[row / scale] >> (glyphWidth - 1 - column / scale) & 1)
          std::memset(canvas.at(x + column, y + row), 0, 3);
    x += (glyphWidth + 1) * scale;
  }
}

uint8_t toByte(float value) {
  // The comparison is also false for NaN, which then is black.
  float scaled = (value + 1.0f) / 2.0f * 255.0f;
  return scaled > 0.0f ? static_cast<uint8_t>(std::lround(std::min(scaled, 255.0f))) : 0;
}

void drawImage(Canvas &canvas, const un0_signature &s, const float *image, uint64_t x, uint64_t y) {
  const size_t plane = size_t(s.height) * s.width;
  for (uint32_t row = 0; row < s.height; ++row)
    for (uint32_t column = 0; column < s.width; ++column)
      for (uint32_t channel = 0; channel < 3; ++channel)
        canvas.at(x + column, y + row)[channel] =
            toByte(image[(s.channels == 1 ? 0 : channel) * plane + size_t(row) * s.width + column]);
}

/// Where things are on the grid, in pixels.
struct Layout {
  unsigned scale; // of glyphs
  uint64_t labelWidth, cellHeight, width, height;
};

Layout layOut(const un0_signature &s, uint64_t rows, uint64_t columns, uint64_t characters) {
  Layout layout;
  layout.scale = std::max(1u, s.height / 16);
  layout.labelWidth = characters * (glyphWidth + 1) * layout.scale + 2 * gap;
  layout.cellHeight = std::max<uint64_t>(s.height, glyphHeight * layout.scale) + gap;
  layout.width = layout.labelWidth + columns * (s.width + gap) + gap;
  layout.height = rows * layout.cellHeight + gap;
  return layout;
}

MaybeFailure writePng(const std::string &path, const Canvas &canvas) {
  OutputFile output;
  if (MaybeFailure failure = output.open(path))
    return failure;
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(canvas.width);
  image.height = static_cast<png_uint_32>(canvas.height);
  image.format = PNG_FORMAT_RGB;
  if (!png_image_write_to_stdio(&image, output.stream(), /*convert_to_8bit=*/0, canvas.rgb.data(),
                                /*row_stride=*/0, /*colormap=*/nullptr)) {
    // libpng only says "Write Error"; the system knows why.
    const int reason = errno;
    return fail("cannot write '" + path +
                "': " + (std::ferror(output.stream()) ? std::strerror(reason) : image.message));
  }
  return output.commit();
}

} // namespace

std::vector<GridRow> gridRows(const Array<int64_t> &labels) {
  std::vector<GridRow> rows;
  std::unordered_map<int64_t, size_t> rowOf;
  for (uint64_t sample = 0; sample < labels.size(); ++sample) {
    auto [found, isNew] = rowOf.try_emplace(labels[sample], rows.size());
    if (isNew)
      rows.push_back({labels[sample], {}});
    rows[found->second].samples.push_back(sample);
  }
  return rows;
}

MaybeFailure checkGrid(const un0_signature &s, const Array<int64_t> &labels) {
  if (s.channels != 1 && s.channels != 3)
    return fail("images have " + std::to_string(s.channels) +
                " channels, a PNG grid can show 1 or 3");
  // Counted only: lists of samples, as of rows, may need more memory than there is.
  std::unordered_map<int64_t, uint64_t> counts;
  size_t characters = 0;
  uint64_t columns = 0;
  for (int64_t label : labels)
    columns = std::max(columns, ++counts[label]);
  for (auto [label, count] : counts)
    characters = std::max(characters, labelText(label).size());
  const Layout layout = layOut(s, counts.size(), columns, characters);
  // libpng's own limit for either extent.
  constexpr uint64_t maxExtent = 1000000;
  if (layout.width > maxExtent || layout.height > maxExtent)
    return fail("the grid would have " + std::to_string(layout.width) + " x " +
                    std::to_string(layout.height) + " pixels, at most " +
                    std::to_string(maxExtent) + " x " + std::to_string(maxExtent) + " are possible",
                {"ask for fewer --classes or --samples-per-class"});
  return std::nullopt;
}

MaybeFailure writeGrid(const std::string &path, const un0_signature &s,
                       const std::vector<GridRow> &rows, const float *images) {
  size_t characters = 0, columns = 0;
  for (const GridRow &row : rows) {
    characters = std::max(characters, labelText(row.label).size());
    columns = std::max(columns, row.samples.size());
  }
  const auto [scale, labelWidth, cellHeight, width, height] =
      layOut(s, rows.size(), columns, characters);
  Canvas canvas{width, height, {}};
  if (!canvas.rgb.allocate(width * height * 3))
    return fail("cannot get memory for a grid of " + std::to_string(width) + " x " +
                std::to_string(height) + " pixels");
  std::fill(canvas.rgb.begin(), canvas.rgb.end(), 255);

  const size_t imageFloats = size_t(s.channels) * s.height * s.width;
  for (size_t r = 0; r < rows.size(); ++r) {
    const uint64_t y = gap + r * cellHeight;
    std::string text = labelText(rows[r].label);
    // Right-aligned, in the middle of the row.
    const uint64_t textWidth = text.size() * (glyphWidth + 1) * scale;
    drawText(canvas, text, labelWidth - gap - textWidth,
             y + (cellHeight - gap - glyphHeight * scale) / 2, scale);
    for (size_t c = 0; c < rows[r].samples.size(); ++c)
      drawImage(canvas, s, images + rows[r].samples[c] * imageFloats,
                labelWidth + c * (s.width + gap), y);
  }
  return writePng(path, canvas);
}

} // namespace un0run
