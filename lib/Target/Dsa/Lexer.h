//===- Lexer.h - words and numbers of a program's text ----------*- C++ -*-===//

#ifndef LIB_TARGET_DSA_LEXER_H
#define LIB_TARGET_DSA_LEXER_H

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include <charconv>
#include <type_traits>

namespace un0::dsa::text {

/// A piece of a text of any bytes, fit for a message.
inline std::string quote(llvm::StringRef piece) {
  if (piece.empty())
    return "the end of the line";
  std::string result = "'";
  for (char c : piece.take_front(40))
    result += llvm::isPrint(c) ? c : '?';
  return result + (piece.size() > 40 ? "...'" : "'");
}

/// Reads statements: a line each, words apart by blanks, commas and braces; `;` begins a comment.
class Lexer {
public:
  Lexer(llvm::StringRef text, llvm::StringRef name) : text(text), name(name) {}

  /// "name:line:column: error: message", for a place in the text.
  llvm::Error fail(size_t position, const llvm::Twine &message) const {
    llvm::StringRef before = text.take_front(position);
    const size_t line = before.count('\n') + 1;
    const size_t column = position - (before.rfind('\n') + 1) + 1; // npos + 1 is 0
    return llvm::make_error<llvm::StringError>(name + ":" + llvm::Twine(line) + ":" +
                                                   llvm::Twine(column) + ": error: " + message,
                                               llvm::inconvertibleErrorCode());
  }

  std::string textName() const { return name.str(); }

  /// Where the next word begins, behind blanks.
  size_t position() {
    skipBlanks();
    return at;
  }
  char peek() {
    skipBlanks();
    return at < text.size() ? text[at] : '\0';
  }
  bool atEnd() {
    skipBlanks();
    return at == text.size();
  }
  llvm::StringRef rest() const { return text.drop_front(at); }

  void skipLines() {
    while (skipBlanks(), at < text.size() && text[at] == '\n')
      ++at;
  }

  /// Everything up to a blank, a comma, a brace or a comment; empty there.
  llvm::StringRef word() {
    skipBlanks();
    llvm::StringRef result = rest().take_front(rest().find_first_of(kEnds));
    at += result.size();
    return result;
  }

  llvm::Error expect(char c) {
    if (peek() != c)
      return fail(at, "expected '" + llvm::Twine(c) + "', found " + quote(next()));
    ++at;
    return llvm::Error::success();
  }

  llvm::Error expectWord(llvm::StringRef wanted) {
    const size_t begin = position();
    llvm::StringRef found = word();
    if (found != wanted)
      return fail(begin,
                  "expected '" + wanted + "', found " + quote(found.empty() ? next() : found));
    return llvm::Error::success();
  }

  /// Skips `wanted`, a word with a comma before it or none, if it comes next.
  bool consume(llvm::StringRef wanted) {
    const size_t begin = at;
    const bool comma = wanted.consume_front(", ");
    if (comma && peek() == ',')
      ++at;
    else if (comma)
      return false;
    if (word() == wanted)
      return true;
    at = begin;
    return false;
  }

  llvm::Error endLine() {
    if (peek() == '\n') {
      ++at;
      return llvm::Error::success();
    }
    if (at == text.size())
      return llvm::Error::success();
    return fail(at, "expected the end of the line, found " + quote(next()));
  }

  /// "@name", without the sign.
  llvm::Error symbol(llvm::StringRef &name) {
    const size_t begin = position();
    llvm::StringRef found = word();
    name = found;
    if (!name.consume_front("@") || name.empty())
      return fail(begin,
                  "expected a name like '@theta', found " + quote(found.empty() ? next() : found));
    return llvm::Error::success();
  }

  bool atNumber() {
    const char c = peek();
    return llvm::isDigit(c) || c == '-' || c == '+';
  }

  /// A number that fits `T` exactly: whole, or the nearest of its precision.
  template <typename T> llvm::Error number(T &value, llvm::StringRef what) {
    const size_t begin = position();
    llvm::StringRef found = word();
    const auto [end, code] = std::from_chars(found.begin(), found.end(), value);
    if (code == std::errc() && end == found.end())
      return llvm::Error::success();
    if (what.empty())
      what = "number";
    if (found.empty())
      return fail(begin, "expected a number for '" + what + "', found " + quote(next()));
    if (code != std::errc::result_out_of_range)
      return fail(begin, quote(found) + " is no " +
                             (std::is_integral_v<T> ? "whole number" : "number") + " for '" + what +
                             "'");
    return fail(begin, quote(found) + " is out of range for '" + what + "'");
  }

  /// A text in braces, as JSON nests them.
  llvm::Error braces(llvm::StringRef &block) {
    const size_t begin = position();
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = begin; i < text.size(); ++i) {
      const char c = text[i];
      if (quoted) {
        if (c == '\\')
          ++i;
        else if (c == '"')
          quoted = false;
        continue;
      }
      quoted = c == '"';
      depth += c == '{';
      if (c == '}' && --depth == 0) {
        block = text.slice(begin, i + 1);
        at = i + 1;
        return llvm::Error::success();
      }
    }
    return fail(begin, "'{' is not closed by '}'");
  }

private:
  static constexpr const char *kEnds = " \t\r\n,{};";

  void skipBlanks() {
    while (at < text.size()) {
      const char c = text[at];
      if (c == ';')
        at = std::min(text.find('\n', at), text.size());
      else if (c == ' ' || c == '\t' || c == '\r')
        ++at;
      else
        return;
    }
  }

  /// What comes next, for messages: a word or one character.
  llvm::StringRef next() const {
    llvm::StringRef rest = this->rest();
    if (rest.empty() || rest[0] == '\n')
      return "";
    const size_t end = rest.find_first_of(kEnds);
    return rest.take_front(end == 0 ? 1 : end);
  }

  llvm::StringRef text, name;
  size_t at = 0;
};

} // namespace un0::dsa::text

#endif // LIB_TARGET_DSA_LEXER_H
