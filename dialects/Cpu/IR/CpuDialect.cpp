//===- CpuDialect.cpp - registration of the cpu dialect ---------*- C++ -*-===//

#include "dialects/Cpu/IR/Cpu.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace un0::cpu;
using llvm::LogicalResult;
using un0::Precision;

#include "dialects/Cpu/IR/CpuDialect.cpp.inc"
#include "dialects/Cpu/IR/CpuEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Cpu/IR/CpuAttrs.cpp.inc"

static std::string format(const llvm::Twine &text) { return text.str(); }

LogicalResult ConvScheduleAttr::verify(llvm::function_ref<mlir::InFlightDiagnostic()> emitError,
                                       ConvForm form, bool batched, int64_t images, int64_t rows,
                                       bool tuned) {
  if (images < 1 || rows < 1)
    return emitError() << "images and rows must be positive, got " << images << " and " << rows;
  if (!batched && images > 1)
    return emitError() << "takes " << images << " images together without being batched";
  return mlir::success();
}

int64_t un0::cpu::getPointRows(un0::Conv2DOp conv, ConvForm form) {
  if (form == ConvForm::Direct)
    return 1;
  auto input = llvm::cast<mlir::ShapedType>(conv.getInput().getType());
  int64_t height = input.getDimSize(2), width = input.getDimSize(3),
          step = getPlaneShape(form).step;
  return height > 0 && width > 0 && height % step == 0 && width % step == 0 ? height / step : 0;
}

std::string un0::cpu::findFault(un0::Conv2DOp conv, ConvScheduleAttr schedule) {
  ConvForm form = schedule.getForm();
  llvm::StringRef name = stringifyConvForm(form);
  bool bytes = conv.getPrecision() == Precision::Int8;
  if (form != ConvForm::Direct && !hasPlanes(form, bytes))
    return format("form " + name + " is not one of " + (bytes ? "int8" : "f32"));
  if (form != ConvForm::Direct && isUpsampled(form) != conv.getUpsample())
    return format("form " + name + " does not fit a convolution that is" +
                  (conv.getUpsample() ? "" : " not") + " upsampled");
  int64_t rows = getPointRows(conv, form);
  if (rows == 0)
    return format("points of form " + name + " do not cover its input");
  int64_t channels = llvm::cast<mlir::ShapedType>(conv.getInput().getType()).getDimSize(1);
  if (bytes && form != ConvForm::Direct && channels > getMostExactChannels(form))
    return format("sums of form " + name + " are exact up to " +
                  llvm::Twine(getMostExactChannels(form)) + " channels of int8, not " +
                  llvm::Twine(channels));
  if (form == ConvForm::Direct && schedule.getImages() > 1)
    return format("direct convolutions take one image at a time, not " +
                  llvm::Twine(schedule.getImages()));
  if (rows % schedule.getRows())
    return format(llvm::Twine(schedule.getRows()) + " rows together do not divide " +
                  llvm::Twine(rows));
  return "";
}

LogicalResult CpuDialect::verifyOperationAttribute(mlir::Operation *op,
                                                   mlir::NamedAttribute attribute) {
  if (attribute.getName() != kScheduleAttr)
    return mlir::success();
  auto conv = llvm::dyn_cast<un0::Conv2DOp>(op);
  auto schedule = llvm::dyn_cast<ConvScheduleAttr>(attribute.getValue());
  if (!conv || !schedule)
    return op->emitOpError("has a ")
           << kScheduleAttr << "; it is a #cpu.conv_schedule on un0.conv2d";
  // Attributes come first: what is no image is the op's own to refuse.
  auto input = llvm::dyn_cast<mlir::ShapedType>(conv.getInput().getType());
  if (!input || !input.hasRank() || input.getRank() != 4)
    return mlir::success();
  if (std::string fault = findFault(conv, schedule); !fault.empty())
    return op->emitOpError(kScheduleAttr) << ": " << fault;
  return mlir::success();
}

void CpuDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Cpu/IR/CpuAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Cpu/IR/CpuOps.cpp.inc"
      >();
}
