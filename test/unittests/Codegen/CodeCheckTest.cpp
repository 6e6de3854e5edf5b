//===- CodeCheckTest.cpp - stack traffic is read from assembly ------------------===//

#include "un0/Target/CodeCheck.h"
#include "gtest/gtest.h"

using namespace un0;

namespace {

/// Assembly as LLVM prints it: an outer loop, whose reload does not count, and an inner one with
/// `body`.
std::vector<StackTraffic> read(const std::string &body) {
  return readStackTraffic(
      "kernel:                                 # @kernel\n"
      "# %bb.0:\n"
      "\tvmovups\t%ymm0, -40(%rsp)                # 32-byte Spill\n"
      ".LBB0_1:                                # =>This Loop Header: Depth=1\n"
      "                                        #     Child Loop BB0_2 Depth 2\n"
      "\tvmovups\t-40(%rsp), %ymm1                # 32-byte Reload\n"
      ".LBB0_2:                                #   Parent Loop BB0_1 Depth=1\n"
      "                                        # =>  This Inner Loop Header: Depth=2\n"
      "\t.loc\t1 7 1                           # kernels:7:1\n" +
      body +
      "\tjne\t.LBB0_2\n"
      "# %bb.3:                                #   in Loop: Header=BB0_1 Depth=1\n"
      "\tvmovups\t%ymm1, -72(%rsp)                # 32-byte Spill\n"
      ".Lfunc_end0:\n");
}

TEST(StackTraffic, AnInnermostLoopInRegistersIsSilent) {
  EXPECT_TRUE(read("\tvfmadd231ps\t%ymm0, %ymm1, %ymm2\n").empty());
}

TEST(StackTraffic, WhatIsReadAndWrittenBackIsCarried) {
  auto loops = read("\tvmovups\t-40(%rsp), %ymm2                # 32-byte Reload\n"
                    "\tvfmadd231ps\t%ymm0, %ymm1, %ymm2\n"
                    "\tvmovups\t%ymm2, -40(%rsp)                # 32-byte Spill\n");
  ASSERT_EQ(loops.size(), 1u);
  EXPECT_EQ(loops[0].function, "kernel");
  EXPECT_EQ(loops[0].line, 7u);
  EXPECT_EQ(loops[0].carried, 1u);
  EXPECT_EQ(loops[0].temporaries, 0u);
  EXPECT_EQ(loops[0].constants, 0u);
}

TEST(StackTraffic, WhatIsWrittenFirstIsOfOneTurn) {
  auto loops = read("\tvmovups\t%ymm2, -104(%rsp)               # 32-byte Spill\n"
                    "\tvaddps\t-104(%rsp), %ymm1, %ymm2        # 32-byte Folded Reload\n");
  ASSERT_EQ(loops.size(), 1u);
  EXPECT_EQ(loops[0].carried, 0u);
  EXPECT_EQ(loops[0].temporaries, 1u);
}

TEST(StackTraffic, WhatIsOnlyReadIsConstant) {
  auto loops = read("\tvmulps\t-40(%rsp), %ymm1, %ymm2         # 32-byte Folded Reload\n");
  ASSERT_EQ(loops.size(), 1u);
  EXPECT_EQ(loops[0].constants, 1u);
}

TEST(StackTraffic, AddressesMayLieOnTheStack) {
  EXPECT_TRUE(read("\tmovq\t-120(%rsp), %rax                # 8-byte Reload\n"
                   "\tmovq\t%rax, -120(%rsp)                # 8-byte Spill\n")
                  .empty());
}

TEST(StackTraffic, ABlockWithoutALabelBelongsToItsLoop) {
  auto loops = read("# %bb.4:                                #   in Loop: Header=BB0_2 Depth=2\n"
                    "\tvmovups\t-40(%rsp), %zmm2                # 64-byte Reload\n");
  ASSERT_EQ(loops.size(), 1u);
  EXPECT_EQ(loops[0].constants, 1u);
}

} // namespace
