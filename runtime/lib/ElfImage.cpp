//===- ElfImage.cpp - the code section in memory ----------------------------===//
//
// Source of structures and names: System V ABI, chapters 4 and 5; AMD64 supplement, section 4.4.
//
//===----------------------------------------------------------------------===//
#include "ElfImage.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <elf.h>
#include <sys/mman.h>

namespace un0::rt {

static constexpr uint64_t pageBytes = 4096;
static constexpr uint64_t maxSpan = uint64_t(1) << 30;
static constexpr unsigned maxSegments = 64;
static constexpr unsigned maxDynamicEntries = 256;
static constexpr uint64_t maxSymbols = 1u << 16;

static uint64_t pageDown(uint64_t address) { return address / pageBytes * pageBytes; }
static uint64_t pageUp(uint64_t address) { return pageDown(address + pageBytes - 1); }

ElfImage::~ElfImage() {
  if (base)
    munmap(base, span);
}

bool ElfImage::inImage(uint64_t address, uint64_t size) const {
  return address >= bias && address - bias <= span && size <= span - (address - bias);
}

const ElfImage::Segment *ElfImage::segmentOf(uint64_t address, uint64_t size) const {
  for (const Segment &segment : segments)
    if (address >= segment.begin && address <= segment.end && size <= segment.end - address)
      return &segment;
  return nullptr;
}

template <typename T> bool ElfImage::read(uint64_t address, T &value) const {
  if (!inImage(address, sizeof value))
    return false;
  std::memcpy(&value, base + (address - bias), sizeof value);
  return true;
}

bool ElfImage::symbolName(uint32_t offset, std::string_view &name) const {
  if (offset >= stringBytes)
    return false;
  const char *text = reinterpret_cast<const char *>(base + (stringTable - bias)) + offset;
  const void *end = std::memchr(text, 0, stringBytes - offset);
  if (!end)
    return false;
  name = {text, static_cast<size_t>(static_cast<const char *>(end) - text)};
  return true;
}

static Status checkElfHeader(const uint8_t *data, size_t size, Elf64_Ehdr &header) {
  if (size < sizeof header || std::memcmp(data, ELFMAG, SELFMAG) != 0)
    return failure(UN0_ERROR_FORMAT, "code section is not an ELF file");
  std::memcpy(&header, data, sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_X86_64)
    return failure(UN0_ERROR_CPU,
                   "code section is for ELF machine %u, class %u, byte order %u, but this runtime "
                   "runs x86-64 (machine %u, class %u, byte order %u); compile the model for it",
                   header.e_machine, header.e_ident[EI_CLASS], header.e_ident[EI_DATA], EM_X86_64,
                   ELFCLASS64, ELFDATA2LSB);
  if (header.e_ident[EI_VERSION] != EV_CURRENT || header.e_version != EV_CURRENT)
    return failure(UN0_ERROR_FORMAT, "code section has ELF version %u, expected %u",
                   header.e_version, EV_CURRENT);
  if (header.e_type != ET_DYN)
    return failure(UN0_ERROR_FORMAT, "code section has ELF type %u, expected a shared object (%u)",
                   header.e_type, ET_DYN);
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 ||
      header.e_phnum > maxSegments)
    return failure(UN0_ERROR_FORMAT, "code section has %u program headers of %u bytes",
                   header.e_phnum, header.e_phentsize);
  if (header.e_phoff > size || header.e_phnum * sizeof(Elf64_Phdr) > size - header.e_phoff)
    return failure(UN0_ERROR_FORMAT, "program headers of the code section exceed its %zu bytes",
                   size);
  return {};
}

Status ElfImage::readSegments(const uint8_t *data, size_t size) {
  Elf64_Ehdr header;
  UN0_RETURN_IF_FAILED(checkElfHeader(data, size, header));
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr program;
    std::memcpy(&program, data + header.e_phoff + i * sizeof program, sizeof program);
    if (program.p_type == PT_INTERP || program.p_type == PT_TLS)
      return failure(UN0_ERROR_FORMAT, "code section has a %s segment",
                     program.p_type == PT_TLS ? "thread-local" : "program interpreter");
    if (program.p_type == PT_GNU_STACK && program.p_flags & PF_X)
      return failure(UN0_ERROR_FORMAT, "code section asks for an executable stack");
    if (program.p_type != PT_LOAD && program.p_type != PT_DYNAMIC && program.p_type != PT_GNU_RELRO)
      continue;
    // Addresses stay below maxSpan, so no later sum of two of them can wrap.
    if (program.p_vaddr > maxSpan || program.p_memsz > maxSpan)
      return failure(UN0_ERROR_FORMAT,
                     "segment %u of the code section has address 0x%" PRIx64 " and %" PRIu64
                     " bytes, beyond the limit of %" PRIu64,
                     i, static_cast<uint64_t>(program.p_vaddr),
                     static_cast<uint64_t>(program.p_memsz), maxSpan);
    if (program.p_type == PT_DYNAMIC) {
      dynamicAddress = program.p_vaddr;
      dynamicSize = program.p_memsz;
      continue;
    }
    if (program.p_type == PT_GNU_RELRO) {
      relroBegin = program.p_vaddr;
      relroEnd = program.p_vaddr + program.p_memsz;
      continue;
    }
    if (program.p_filesz > program.p_memsz || program.p_offset > size ||
        program.p_filesz > size - program.p_offset)
      return failure(UN0_ERROR_FORMAT,
                     "segment %u of the code section exceeds its file or its memory", i);
    if (program.p_flags & PF_W && program.p_flags & PF_X)
      return failure(UN0_ERROR_FORMAT,
                     "segment %u of the code section is both writable and executable", i);
    if (program.p_memsz == 0)
      continue;
    int protection = PROT_READ | (program.p_flags & PF_W ? PROT_WRITE : 0) |
                     (program.p_flags & PF_X ? PROT_EXEC : 0);
    // Protection is per page: two segments on one page would get each other's.
    if (!segments.empty() && pageDown(program.p_vaddr) < pageUp(segments.back().end))
      return failure(UN0_ERROR_FORMAT,
                     "segment %u of the code section at address 0x%" PRIx64
                     " shares a page with the one before it",
                     i, static_cast<uint64_t>(program.p_vaddr));
    segments.push_back({program.p_vaddr, program.p_vaddr + program.p_memsz, program.p_offset,
                        program.p_filesz, protection});
  }
  if (segments.empty() || dynamicSize == 0)
    return failure(UN0_ERROR_FORMAT, "code section has no %s segment",
                   segments.empty() ? "loadable" : "dynamic");
  return {};
}

Status ElfImage::map(const uint8_t *data) {
  bias = pageDown(segments.front().begin);
  span = pageUp(segments.back().end) - bias;
  if (span > maxSpan)
    return failure(UN0_ERROR_FORMAT, "code section spans %" PRIu64 " bytes, more than %" PRIu64,
                   span, maxSpan);
  void *mapped = mmap(nullptr, span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    return failure(UN0_ERROR_OUT_OF_MEMORY, "cannot get %" PRIu64 " bytes for code: %s", span,
                   std::strerror(errno));
  base = static_cast<uint8_t *>(mapped);
  for (const Segment &segment : segments)
    if (segment.fileSize)
      std::memcpy(base + (segment.begin - bias), data + segment.fileOffset, segment.fileSize);
  return {};
}

Status ElfImage::readDynamic() {
  for (uint64_t i = 0; i < dynamicSize / sizeof(Elf64_Dyn); ++i) {
    Elf64_Dyn entry;
    if (i >= maxDynamicEntries || !read(dynamicAddress + i * sizeof entry, entry))
      return failure(UN0_ERROR_FORMAT, "dynamic section of the code is out of range");
    uint64_t value = entry.d_un.d_val;
    switch (entry.d_tag) {
    case DT_NULL:
      return {};
    case DT_SYMTAB:
      symbolTable = value;
      break;
    case DT_STRTAB:
      stringTable = value;
      break;
    case DT_STRSZ:
      stringBytes = value;
      break;
    case DT_HASH:
      hashTable = value;
      break;
    case DT_GNU_HASH:
      gnuHashTable = value;
      break;
    case DT_RELA:
      relaTable = value;
      break;
    case DT_RELASZ:
      relaBytes = value;
      break;
    case DT_JMPREL:
      // Refused later, after the symbol it is for could be named.
      hasLinkageTable = true;
      break;
    case DT_SYMENT:
    case DT_RELAENT:
      if (value != (entry.d_tag == DT_SYMENT ? sizeof(Elf64_Sym) : sizeof(Elf64_Rela)))
        return failure(UN0_ERROR_FORMAT, "code section has table entries of %" PRIu64 " bytes",
                       value);
      break;
    // Advice that changes nothing here.
    case DT_SONAME:
    case DT_PLTGOT:
    case DT_PLTREL:
    case DT_PLTRELSZ:
    case DT_RELACOUNT:
    case DT_FLAGS_1:
      break;
    case DT_FLAGS:
      if (value & (DF_TEXTREL | DF_STATIC_TLS))
        return failure(UN0_ERROR_FORMAT, "code section has unsupported dynamic flags 0x%" PRIx64,
                       value);
      break;
    case DT_NEEDED:
      return failure(UN0_ERROR_FORMAT, "code section needs another library, modules need none");
    case DT_INIT:
    case DT_FINI:
    case DT_INIT_ARRAY:
    case DT_FINI_ARRAY:
    case DT_PREINIT_ARRAY:
      return failure(UN0_ERROR_FORMAT, "code section has constructors or destructors");
    default:
      return failure(UN0_ERROR_FORMAT, "code section has the unsupported dynamic tag 0x%" PRIx64,
                     static_cast<uint64_t>(entry.d_tag));
    }
  }
  return {};
}

/// The symbol table has no length of its own: the hash tables tell it.
Status ElfImage::countSymbols(uint64_t &count) const {
  count = 0;
  if (hashTable) {
    uint32_t counts[2]; // buckets, chains; one chain entry per symbol
    if (!read(hashTable, counts))
      return failure(UN0_ERROR_FORMAT, "symbol hash table of the code is out of range");
    count = counts[1];
  } else if (gnuHashTable) {
    uint32_t header[4]; // buckets, first hashed symbol, Bloom words, Bloom shift
    if (!read(gnuHashTable, header) || header[0] > maxSymbols || header[2] > maxSymbols)
      return failure(UN0_ERROR_FORMAT, "symbol hash table of the code is out of range");
    uint64_t buckets = gnuHashTable + sizeof header + header[2] * uint64_t(8);
    uint64_t chains = buckets + header[0] * uint64_t(4);
    uint32_t last = 0;
    for (uint32_t i = 0; i < header[0]; ++i) {
      uint32_t first;
      if (!read(buckets + i * uint64_t(4), first))
        return failure(UN0_ERROR_FORMAT, "symbol hash table of the code is out of range");
      last = std::max(last, first);
    }
    count = header[1];
    // The chain of the last bucket ends at the last symbol, marked by its lowest bit.
    for (uint32_t end = 0; last >= header[1] && last != 0 && !(end & 1); ++last) {
      if (last >= maxSymbols || !read(chains + (last - header[1]) * uint64_t(4), end))
        return failure(UN0_ERROR_FORMAT, "symbol hash table of the code is out of range");
      count = last + uint64_t(1);
    }
  } else {
    return failure(UN0_ERROR_FORMAT, "code section has no symbol hash table");
  }
  if (count > maxSymbols)
    return failure(UN0_ERROR_FORMAT, "code section has %" PRIu64 " symbols, more than %" PRIu64,
                   count, maxSymbols);
  return {};
}

Status ElfImage::checkSymbols() {
  UN0_RETURN_IF_FAILED(countSymbols(symbolCount));
  // Inside a segment, not merely in the image: gaps between segments become unreachable.
  if (!segmentOf(symbolTable, symbolCount * sizeof(Elf64_Sym)) ||
      !segmentOf(stringTable, stringBytes))
    return failure(UN0_ERROR_FORMAT, "symbol table of the code is out of range");
  for (uint64_t i = 1; i < symbolCount; ++i) {
    Elf64_Sym symbol;
    std::string_view name;
    (void)read(symbolTable + i * sizeof symbol, symbol);
    if (!symbolName(symbol.st_name, name))
      return failure(UN0_ERROR_FORMAT, "name of symbol %" PRIu64 " of the code is out of range", i);
    if (symbol.st_shndx == SHN_UNDEF)
      return failure(UN0_ERROR_FORMAT, "code section imports %s, modules import nothing",
                     quoted(name).c_str());
  }
  return {};
}

Status ElfImage::relocate() {
  if (hasLinkageTable)
    return failure(UN0_ERROR_FORMAT, "code section has a procedure linkage table");
  if (relaBytes % sizeof(Elf64_Rela) || !inImage(relaTable, relaBytes))
    if (relaBytes)
      return failure(UN0_ERROR_FORMAT, "relocations of the code are out of range");
  for (uint64_t at = 0; at < relaBytes; at += sizeof(Elf64_Rela)) {
    Elf64_Rela rela;
    (void)read(relaTable + at, rela);
    if (ELF64_R_TYPE(rela.r_info) != R_X86_64_RELATIVE)
      return failure(UN0_ERROR_FORMAT, "code section has a relocation of type %u, expected %u",
                     static_cast<unsigned>(ELF64_R_TYPE(rela.r_info)), R_X86_64_RELATIVE);
    const Segment *target = segmentOf(rela.r_offset, sizeof(uint64_t));
    uint64_t addend = static_cast<uint64_t>(rela.r_addend);
    if (!target || !(target->protection & PROT_WRITE) || !inImage(addend, 0))
      return failure(UN0_ERROR_FORMAT, "relocation at 0x%" PRIx64 " of the code is out of range",
                     static_cast<uint64_t>(rela.r_offset));
    // Tables that are being walked must not change under the walk.
    if (rela.r_offset < relaTable + relaBytes && rela.r_offset + sizeof(uint64_t) > relaTable)
      return failure(UN0_ERROR_FORMAT, "relocations of the code relocate themselves");
    uint64_t address = reinterpret_cast<uint64_t>(base) + (addend - bias);
    std::memcpy(base + (rela.r_offset - bias), &address, sizeof address);
  }
  return {};
}

Status ElfImage::protect() {
  auto apply = [&](uint64_t begin, uint64_t end, int protection) {
    return mprotect(base + (begin - bias), end - begin, protection) == 0;
  };
  // Gaps between segments first become unreachable with the rest of the span.
  bool done = apply(bias, bias + span, PROT_NONE);
  for (const Segment &segment : segments)
    done = done && apply(pageDown(segment.begin), pageUp(segment.end), segment.protection);
  // Data that is constant once relocated. Its end need not be a page's: the rest of that page stays
  // writable.
  const uint64_t end = pageDown(relroEnd);
  const Segment *relro = segmentOf(relroBegin, 0);
  if (relro && relro->protection & PROT_WRITE && end > relroBegin && end <= pageUp(relro->end) &&
      relroBegin - relro->begin < pageBytes)
    done = done && apply(pageDown(relroBegin), end, PROT_READ);
  if (!done)
    return failure(UN0_ERROR_CPU, "the system does not let code be made executable: %s",
                   std::strerror(errno));
  return {};
}

Status ElfImage::load(const uint8_t *data, size_t size) {
  UN0_RETURN_IF_FAILED(readSegments(data, size));
  UN0_RETURN_IF_FAILED(map(data));
  UN0_RETURN_IF_FAILED(readDynamic());
  UN0_RETURN_IF_FAILED(checkSymbols());
  UN0_RETURN_IF_FAILED(relocate());
  return protect();
}

void *ElfImage::lookup(std::string_view wanted) const {
  for (uint64_t i = 1; i < symbolCount; ++i) {
    Elf64_Sym symbol;
    std::string_view name;
    if (!read(symbolTable + i * sizeof symbol, symbol) || !symbolName(symbol.st_name, name) ||
        name != wanted)
      continue;
    unsigned type = ELF64_ST_TYPE(symbol.st_info);
    const Segment *segment = segmentOf(symbol.st_value, 1);
    bool isFunction = type == STT_FUNC || type == STT_NOTYPE;
    if (isFunction && segment && segment->protection & PROT_EXEC)
      return base + (symbol.st_value - bias);
  }
  return nullptr;
}

} // namespace un0::rt
