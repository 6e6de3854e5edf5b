//===- Assembler.cpp - programs for accelerators from text ------*- C++ -*-===//

#include "un0/Target/DsaAssembler.h"

#include "Lexer.h"
#include "Syntax.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Base64.h"

using namespace un0;
using namespace un0::dsa;
using namespace un0::dsa::text;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

#define UN0_TRY(expression)                                                                        \
  if (Error error_ = (expression))                                                                 \
  return error_

namespace {

class Parser {
public:
  Parser(StringRef text, StringRef name) : lexer(text, name) {}

  Expected<DsaModule> parse();

private:
  /// Names of one kind, and where each was declared.
  struct Names {
    const char *what;
    llvm::StringMap<uint32_t> indices;
    std::vector<size_t> positions;
  };

  Error parseStatement();
  Error parseDirective(StringRef directive, size_t begin);
  Error parseModule();
  Error parseIsa();
  Error parseHardware();
  Error parseModel();
  Error parseSolver();
  Error parseBuffer();
  Error parseDatum(DataKind kind);
  template <typename T> Error parseValues(std::vector<T> &values, const char *what);
  Error parseDigital();
  Error parseSection();
  Error parseInstruction(StringRef mnemonic, size_t begin);
  Error parseOperand(const Operand &operand, Instruction &instruction);
  Error closeBlock();

  Error declare(Names &names, std::string &name);
  Error reference(const Names &names, uint32_t &index);
  Error parseTile(uint32_t &tile);
  template <typename T> Error parseKeyed(StringRef keyword, T &value);
  Error once(bool &seen, StringRef directive, size_t begin);
  Error verify();

  Lexer lexer;
  DsaModule module;
  Program &program = module.program;
  Names buffers = {"buffer", {}, {}}, data = {"datum", {}, {}},
        digitals = {"digital operator", {}, {}};
  std::vector<size_t> positions; // of each instruction
  std::vector<uint32_t> open;    // blocks
  bool hasModule = false, hasIsa = false, hasHardware = false, hasModel = false, hasSolver = false,
       hasResult = false;
  size_t lastStatement = 0;
};

} // namespace

Error Parser::once(bool &seen, StringRef directive, size_t begin) {
  if (seen)
    return lexer.fail(begin, "second " + directive);
  seen = true;
  return Error::success();
}

/// `keyword value`.
template <typename T> Error Parser::parseKeyed(StringRef keyword, T &value) {
  UN0_TRY(lexer.expectWord(keyword));
  return lexer.number(value, keyword);
}

Error Parser::declare(Names &names, std::string &name) {
  const size_t begin = lexer.position();
  StringRef declared;
  UN0_TRY(lexer.symbol(declared));
  if (!names.indices.try_emplace(declared, names.positions.size()).second)
    return lexer.fail(begin, Twine(names.what) + " '@" + declared + "' is declared twice");
  names.positions.push_back(begin);
  name = declared.str();
  return Error::success();
}

Error Parser::reference(const Names &names, uint32_t &index) {
  const size_t begin = lexer.position();
  StringRef name;
  UN0_TRY(lexer.symbol(name));
  auto found = names.indices.find(name);
  if (found == names.indices.end())
    return lexer.fail(begin, Twine("no ") + names.what + " '@" + name + "' is declared above");
  index = found->second;
  return Error::success();
}

Error Parser::parseTile(uint32_t &tile) {
  const size_t begin = lexer.position();
  StringRef word = lexer.word(), number = word;
  if (!number.consume_front("tile") || number.getAsInteger(10, tile) || tile > UINT16_MAX)
    return lexer.fail(begin, "expected a tile, 'tile0' to 'tile65535', found " + quote(word));
  return Error::success();
}

Error Parser::parseModule() {
  const size_t begin = lexer.position();
  StringRef version = lexer.word();
  auto [major, minor] = version.split('.');
  unsigned number;
  if (major.getAsInteger(10, number) || minor.getAsInteger(10, module.formatMinor))
    return lexer.fail(begin,
                      "expected the version of the module's format, found " + quote(version));
  if (number != UN0_FORMAT_MAJOR)
    return lexer.fail(begin, "format version " + version + " is unknown, this assembler writes " +
                                 Twine(UN0_FORMAT_MAJOR) + "." + Twine(UN0_FORMAT_MINOR));
  return Error::success();
}

Error Parser::parseIsa() {
  const size_t begin = lexer.position();
  StringRef version = lexer.word();
  auto [major, minor] = version.split('.');
  unsigned majorNumber, minorNumber;
  if (major.getAsInteger(10, majorNumber) || minor.getAsInteger(10, minorNumber) ||
      majorNumber != kIsaMajor || minorNumber > kIsaMinor)
    return lexer.fail(begin, "instruction set " + quote(version) +
                                 " is unknown, this assembler has " + Twine(kIsaMajor) + "." +
                                 Twine(kIsaMinor));
  return Error::success();
}

/// A description in braces, or the name of one that is built in.
Error Parser::parseHardware() {
  const size_t begin = lexer.position();
  if (lexer.peek() != '{') {
    StringRef name = lexer.word();
    for (const std::string &builtin : builtinHardwareNames())
      if (name == builtin) {
        if (Status status = loadHardware(builtin, program.hardware))
          return lexer.fail(begin, status.message());
        return Error::success();
      }
    return lexer.fail(begin,
                      "expected a description in braces or a built-in name, found " + quote(name));
  }
  StringRef json;
  UN0_TRY(lexer.braces(json));
  if (Status status =
          un0::dsa::parseHardware(std::string_view(json), lexer.textName(), program.hardware))
    return lexer.fail(begin, status.message());
  return Error::success();
}

Error Parser::parseModel() {
  UN0_TRY(parseKeyed("oscillators", program.oscillators));
  UN0_TRY(lexer.expect(','));
  UN0_TRY(parseKeyed("conditioning", program.conditioning));
  UN0_TRY(lexer.expect(','));
  return parseKeyed("classes", program.classes);
}

Error Parser::parseSolver() {
  const size_t begin = lexer.position();
  StringRef name = lexer.word();
  const auto *found = llvm::find(kSolvers, name);
  if (found == std::end(kSolvers))
    return lexer.fail(begin, "solver " + quote(name) +
                                 " is unknown, there are euler, heun, rk4 and rk4_classic");
  program.solver = static_cast<Solver>(found - kSolvers);
  UN0_TRY(lexer.expect(','));
  return parseKeyed("time", program.modelTime);
}

Error Parser::parseBuffer() {
  Buffer buffer;
  UN0_TRY(declare(buffers, buffer.name));
  UN0_TRY(lexer.expect(','));
  UN0_TRY(lexer.number(buffer.size, "size"));
  program.buffers.push_back(std::move(buffer));
  return Error::success();
}

/// Numbers on this line and the following ones, up to what is none.
template <typename T> Error Parser::parseValues(std::vector<T> &values, const char *what) {
  while (lexer.skipLines(), lexer.atNumber()) {
    UN0_TRY(lexer.number(values.emplace_back(), what));
  }
  return Error::success();
}

Error Parser::parseDatum(DataKind kind) {
  Data datum;
  datum.kind = kind;
  UN0_TRY(declare(data, datum.name));
  UN0_TRY(lexer.expect(','));
  UN0_TRY(parseKeyed("rows", datum.rows));
  if (kind == DataKind::Couplings) {
    UN0_TRY(lexer.expect(','));
    UN0_TRY(parseKeyed("columns", datum.columns));
    if (lexer.consume(", classes"))
      UN0_TRY(lexer.number(datum.classes, "classes"));
  }
  if (lexer.consume(", unit"))
    UN0_TRY(lexer.number(datum.unit, "unit"));
  UN0_TRY(lexer.endLine());
  uint64_t size;
  if (__builtin_mul_overflow(uint64_t(datum.rows) * datum.columns,
                             uint64_t(datum.classes ? datum.classes : 1), &size))
    return lexer.fail(data.positions.back(), "datum '@" + datum.name + "' is too large");
  for (bool more = true; more;) {
    lexer.skipLines();
    const size_t begin = lexer.position();
    auto check = [&](const char *what, size_t found) -> Error {
      if (found == size)
        return Error::success();
      return lexer.fail(begin, "datum '@" + datum.name + "' has " + Twine(found) + " " + what +
                                   ", expected " + Twine(size));
    };
    if (datum.levels.empty() && lexer.consume(".levels")) {
      UN0_TRY(parseValues(datum.levels, "level"));
      UN0_TRY(check("levels", datum.levels.size()));
    } else if (datum.exact.empty() && lexer.consume(".exact")) {
      UN0_TRY(parseValues(datum.exact, "value"));
      UN0_TRY(check("exact values", datum.exact.size()));
    } else {
      more = false;
    }
  }
  program.data.push_back(std::move(datum));
  return Error::success();
}

Error Parser::parseDigital() {
  DigitalOp op;
  UN0_TRY(declare(digitals, op.name));
  UN0_TRY(lexer.expect(','));
  const size_t begin = lexer.position();
  StringRef kind = lexer.word();
  const auto *found = llvm::find(kDigitals, kind);
  if (found == std::end(kDigitals))
    return lexer.fail(begin, "digital operator of kind " + quote(kind) +
                                 " is unknown, there are readout, conv2d and evolve");
  op.kind = static_cast<DigitalKind>(found - kDigitals);
  UN0_TRY(lexer.expect(','));
  UN0_TRY(parseKeyed("bits", op.bits));
  for (const Cost &cost : kCosts) {
    UN0_TRY(lexer.expect(','));
    UN0_TRY(parseKeyed(cost.keyword, op.*cost.field));
  }
  program.digital.push_back(std::move(op));
  return Error::success();
}

Error Parser::parseSection() {
  const size_t begin = lexer.position();
  StringRef name = lexer.word();
  DsaSection section;
  const auto *known = llvm::find_if(kSections, [&](const auto &s) { return name == s.name; });
  if (known != std::end(kSections))
    section.kind = known->kind;
  else if (name.getAsInteger(10, section.kind))
    return lexer.fail(begin, "section " + quote(name) + " is unknown");
  for (const DsaSection &other : module.sections)
    if (other.kind == section.kind)
      return lexer.fail(begin, "second section " + quote(name));
  if (lexer.consume(", external")) {
    section.external = true;
    UN0_TRY(lexer.expect(','));
    UN0_TRY(parseKeyed("size", section.size));
    UN0_TRY(lexer.expect(','));
    UN0_TRY(lexer.expectWord("sha256"));
    const size_t at = lexer.position();
    StringRef digest = lexer.word();
    std::string bytes;
    if (digest.size() != 2 * sizeof(section.sha256) || !llvm::tryGetFromHex(digest, bytes))
      return lexer.fail(at, "expected 64 hexadecimal digits, found " + quote(digest));
    llvm::copy(bytes, section.sha256);
  }
  UN0_TRY(lexer.endLine());
  std::string base64;
  const size_t at = (lexer.skipLines(), lexer.position());
  while (lexer.skipLines(), !lexer.atEnd() && lexer.peek() != '.') {
    const size_t lineBegin = lexer.position();
    StringRef line = lexer.word();
    if (line.empty())
      return lexer.fail(lineBegin, "expected base64");
    base64 += line;
    UN0_TRY(lexer.endLine());
  }
  if ((section.external || section.kind == UN0_SECTION_PROGRAM) && !base64.empty())
    return lexer.fail(at, "section " + quote(name) + " has no bytes of its own");
  if (Error error = llvm::decodeBase64(base64, section.bytes))
    return lexer.fail(at, "section " + quote(name) + " is no base64: " +
                              StringRef(llvm::toString(std::move(error))).rtrim(".").lower());
  module.sections.push_back(std::move(section));
  return Error::success();
}

Error Parser::parseOperand(const Operand &operand, Instruction &instruction) {
  switch (operand.kind) {
  case OperandKind::None:
    return Error::success();
  case OperandKind::Tile: {
    uint32_t tile;
    UN0_TRY(parseTile(tile));
    instruction.tile = static_cast<uint16_t>(tile);
    return Error::success();
  }
  case OperandKind::Source:
    UN0_TRY(lexer.expectWord(operand.keyword));
    return parseTile(instruction.*operand.field);
  case OperandKind::Datum:
    return reference(data, instruction.*operand.field);
  case OperandKind::Buffer:
    return reference(buffers, instruction.*operand.field);
  case OperandKind::Digital:
    return reference(digitals, instruction.*operand.field);
  case OperandKind::Number:
    if (*operand.keyword)
      UN0_TRY(lexer.expectWord(operand.keyword));
    return lexer.number(instruction.*operand.field, operand.keyword);
  case OperandKind::Seconds:
    UN0_TRY(lexer.number(instruction.x, "duration"));
    return lexer.expectWord("s");
  case OperandKind::Reference:
  case OperandKind::Unwrap:
    return Error::success(); // optional: read behind the others
  }
  return Error::success();
}

Error Parser::parseInstruction(StringRef mnemonic, size_t begin) {
  const auto *syntax =
      llvm::find_if(kSyntax, [&](const Syntax &s) { return mnemonic == opcodeName(s.opcode); });
  if (syntax == std::end(kSyntax) || syntax->opcode == Opcode::End)
    return lexer.fail(begin, "expected an instruction or a directive, found " + quote(mnemonic));
  Instruction instruction;
  instruction.opcode = syntax->opcode;
  bool first = true;
  for (const Operand &operand : syntax->list()) {
    if (operand.kind == OperandKind::Reference) {
      instruction.*operand.field = kClockReference;
      if (lexer.consume(", reference"))
        UN0_TRY(lexer.number(instruction.*operand.field, operand.keyword));
    } else if (operand.kind == OperandKind::Unwrap) {
      if (lexer.consume(", unwrap"))
        instruction.flags |= kUnwrap;
    } else {
      if (!first)
        UN0_TRY(lexer.expect(','));
      UN0_TRY(parseOperand(operand, instruction));
    }
    first = false;
  }
  if (syntax->block) {
    UN0_TRY(lexer.expect('{'));
    open.push_back(static_cast<uint32_t>(program.code.size()));
  }
  UN0_TRY(lexer.endLine());
  program.code.push_back(instruction);
  positions.push_back(begin);
  return Error::success();
}

Error Parser::closeBlock() {
  const size_t begin = lexer.position();
  UN0_TRY(lexer.expect('}'));
  if (open.empty())
    return lexer.fail(begin, "'}' closes nothing");
  Instruction end;
  end.opcode = Opcode::End;
  end.b = open.back();
  program.code[open.back()].b = static_cast<uint32_t>(program.code.size());
  open.pop_back();
  program.code.push_back(end);
  positions.push_back(begin);
  return lexer.endLine();
}

Error Parser::parseDirective(StringRef directive, size_t begin) {
  auto line = [&](Error error) -> Error { return error ? std::move(error) : lexer.endLine(); };
  if (directive == ".module") {
    UN0_TRY(once(hasModule, directive, begin));
    return line(parseModule());
  }
  if (directive == ".isa") {
    UN0_TRY(once(hasIsa, directive, begin));
    return line(parseIsa());
  }
  if (directive == ".hardware") {
    UN0_TRY(once(hasHardware, directive, begin));
    return line(parseHardware());
  }
  if (directive == ".model") {
    UN0_TRY(once(hasModel, directive, begin));
    return line(parseModel());
  }
  if (directive == ".solver") {
    UN0_TRY(once(hasSolver, directive, begin));
    return line(parseSolver());
  }
  if (directive == ".result") {
    UN0_TRY(once(hasResult, directive, begin));
    return line(reference(buffers, program.thetaBuffer));
  }
  if (directive == ".buffer")
    return line(parseBuffer());
  if (directive == ".couplings")
    return parseDatum(DataKind::Couplings);
  if (directive == ".frequencies")
    return parseDatum(DataKind::Frequencies);
  if (directive == ".digital")
    return line(parseDigital());
  if (directive == ".section")
    return parseSection();
  return lexer.fail(begin, "directive " + quote(directive) + " is unknown");
}

Error Parser::parseStatement() {
  lastStatement = lexer.position();
  if (lexer.peek() == '}')
    return closeBlock();
  StringRef word = lexer.word();
  if (word.empty())
    return lexer.fail(lastStatement, "expected an instruction or a directive, found " +
                                         quote(StringRef(lexer.rest()).take_front(1)));
  if (word.starts_with("."))
    return parseDirective(word, lastStatement);
  return parseInstruction(word, lastStatement);
}

/// What the verifier says, at the line it is about.
Error Parser::verify() {
  Culprit culprit;
  Status status = verifyProgram(program, 0, &culprit);
  if (!status)
    return Error::success();
  const std::vector<size_t> *places = nullptr;
  switch (culprit.part) {
  case Culprit::Instruction:
    places = &positions;
    break;
  case Culprit::Datum:
    places = &data.positions;
    break;
  case Culprit::Buffer:
    places = &buffers.positions;
    break;
  case Culprit::Digital:
    places = &digitals.positions;
    break;
  case Culprit::Whole:
    break;
  }
  return lexer.fail(places ? (*places)[culprit.index] : lastStatement, status.message());
}

Expected<DsaModule> Parser::parse() {
  while (lexer.skipLines(), !lexer.atEnd())
    if (Error error = parseStatement())
      return std::move(error);
  if (!open.empty()) {
    const Instruction &opener = program.code[open.back()];
    return lexer.fail(positions[open.back()],
                      Twine(opcodeName(opener.opcode)) + " is not closed by '}'");
  }
  const std::pair<bool, const char *> required[] = {
      {hasIsa, ".isa"}, {hasHardware, ".hardware"}, {hasModel, ".model"}, {hasSolver, ".solver"}};
  for (auto [seen, directive] : required)
    if (!seen)
      return lexer.fail(lastStatement, Twine("the program has no ") + directive);
  if (Error error = verify())
    return std::move(error);
  return std::move(module);
}

Expected<DsaModule> un0::assembleDsa(StringRef text, StringRef name) {
  return Parser(text, name).parse();
}
