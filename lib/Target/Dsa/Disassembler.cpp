//===- Disassembler.cpp - programs for accelerators as text -----*- C++ -*-===//

#include "un0/Target/DsaDisassembler.h"

#include "Syntax.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Base64.h"
#include <charconv>

using namespace un0;
using namespace un0::dsa;
using namespace un0::dsa::text;
using llvm::ArrayRef;
using llvm::StringRef;

namespace {

// Bytes of a section per line; a multiple of three, so that only the last line is padded.
constexpr size_t kSectionBytesPerLine = 72;
// Values of a datum per line, where its rows are longer.
constexpr size_t kValuesPerLine = 64;

class Printer {
public:
  Printer(const DsaModule &module, llvm::raw_ostream &os)
      : module(module), program(module.program), os(os) {}

  void printHead();
  void printTables();
  void printCode();
  void printSections();

private:
  /// The shortest form that reads back equal.
  template <typename T> void number(T value) {
    char text[64];
    const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
    os << StringRef(text, end - text);
  }
  template <typename T>
  void printValues(const char *directive, const Data &datum, const std::vector<T> &values);
  void printDatum(const Data &datum);
  void printOperand(const Operand &operand, const Instruction &instruction, StringRef separator);

  const DsaModule &module;
  const Program &program;
  llvm::raw_ostream &os;
};

} // namespace

void Printer::printHead() {
  os << ".module " << UN0_FORMAT_MAJOR << "." << module.formatMinor << "\n";
  os << ".isa " << kIsaMajor << "." << kIsaMinor << "\n";
  os << ".hardware " << StringRef(program.hardware.toJson()).rtrim() << "\n";
  os << ".model oscillators " << program.oscillators << ", conditioning " << program.conditioning
     << ", classes " << program.classes << "\n";
  os << ".solver " << kSolvers[static_cast<size_t>(program.solver)] << ", time ";
  number(program.modelTime);
  os << " ; model seconds\n";
}

template <typename T>
void Printer::printValues(const char *directive, const Data &datum, const std::vector<T> &values) {
  if (values.empty())
    return;
  os << "  " << directive << "\n";
  // A row of couplings is a line, or several; frequencies have one column and fill lines.
  const size_t rowLength = datum.kind == DataKind::Couplings ? datum.columns : values.size();
  for (size_t row = 0; row < values.size(); row += rowLength) {
    const uint64_t inClass = uint64_t(datum.rows) * datum.columns;
    if (datum.classes && row % inClass == 0)
      os << "    ; class " << row / inClass << "\n";
    for (size_t i = 0; i < rowLength; ++i) {
      os << (i % kValuesPerLine == 0 ? (i ? "\n    " : "    ") : " ");
      number(values[row + i]);
    }
    os << "\n";
  }
}

void Printer::printDatum(const Data &datum) {
  const bool couplings = datum.kind == DataKind::Couplings;
  os << (couplings ? "\n.couplings @" : "\n.frequencies @") << datum.name << ", rows "
     << datum.rows;
  if (couplings)
    os << ", columns " << datum.columns;
  if (datum.classes)
    os << ", classes " << datum.classes;
  if (datum.unit != 0) {
    os << ", unit ";
    number(datum.unit);
    os << " ; rad/s per level";
  }
  os << "\n";
  printValues(".levels", datum, datum.levels);
  printValues(".exact", datum, datum.exact);
}

void Printer::printTables() {
  if (!program.buffers.empty())
    os << "\n; digital memory of one sample, in phases\n";
  for (const Buffer &buffer : program.buffers)
    os << ".buffer @" << buffer.name << ", " << buffer.size << "\n";
  if (!program.buffers.empty())
    os << ".result @" << program.buffers[program.thetaBuffer].name << "\n";
  for (const Data &datum : program.data)
    printDatum(datum);
  if (!program.digital.empty())
    os << "\n; costs per sample\n";
  for (const DigitalOp &op : program.digital) {
    os << ".digital @" << op.name << ", " << kDigitals[static_cast<size_t>(op.kind)] << ", bits "
       << op.bits;
    for (const Cost &cost : kCosts)
      os << ", " << cost.keyword << " " << op.*cost.field;
    os << "\n";
  }
}

void Printer::printOperand(const Operand &operand, const Instruction &instruction,
                           StringRef separator) {
  const uint32_t value = operand.field ? instruction.*operand.field : 0;
  if ((operand.kind == OperandKind::Reference && value == kClockReference) ||
      (operand.kind == OperandKind::Unwrap && !(instruction.flags & kUnwrap)))
    return;
  os << separator << operand.keyword << (*operand.keyword ? " " : "");
  switch (operand.kind) {
  case OperandKind::None:
    break;
  case OperandKind::Tile:
    os << "tile" << instruction.tile;
    break;
  case OperandKind::Source:
    os << "tile" << value;
    break;
  case OperandKind::Datum:
    os << "@" << program.data[value].name;
    break;
  case OperandKind::Buffer:
    os << "@" << program.buffers[value].name;
    break;
  case OperandKind::Digital:
    os << "@" << program.digital[value].name;
    break;
  case OperandKind::Number:
  case OperandKind::Reference:
    os << value;
    break;
  case OperandKind::Seconds:
    number(instruction.x);
    os << " s";
    break;
  case OperandKind::Unwrap:
    os << "unwrap";
    break;
  }
}

void Printer::printCode() {
  os << "\n";
  unsigned depth = 0;
  for (const Instruction &instruction : program.code) {
    const Syntax &syntax = kSyntax[static_cast<size_t>(instruction.opcode)];
    if (instruction.opcode == Opcode::End) {
      os.indent(2 * --depth) << "}\n";
      continue;
    }
    os.indent(2 * depth) << opcodeName(instruction.opcode);
    StringRef separator = " ";
    for (const Operand &operand : syntax.list()) {
      printOperand(operand, instruction, separator);
      separator = ", ";
    }
    if (syntax.block) {
      os << " {";
      ++depth;
    }
    os << "\n";
  }
}

void Printer::printSections() {
  for (const DsaSection &section : module.sections) {
    os << "\n.section ";
    const auto *known =
        llvm::find_if(kSections, [&](const auto &s) { return s.kind == section.kind; });
    if (known == std::end(kSections))
      os << section.kind;
    else
      os << known->name;
    if (section.external)
      os << ", external, size " << section.size << ", sha256 "
         << llvm::toHex(ArrayRef(section.sha256), /*LowerCase=*/true);
    if (section.kind == UN0_SECTION_PROGRAM)
      os << " ; is the above";
    os << "\n";
    for (StringRef rest(section.bytes.data(), section.bytes.size()); !rest.empty();
         rest = rest.drop_front(std::min(kSectionBytesPerLine, rest.size())))
      os << llvm::encodeBase64(rest.take_front(kSectionBytesPerLine)) << "\n";
  }
}

void un0::disassembleDsa(const DsaModule &module, llvm::raw_ostream &os, bool withSections) {
  Printer printer(module, os);
  printer.printHead();
  printer.printTables();
  printer.printCode();
  if (withSections)
    printer.printSections();
}
