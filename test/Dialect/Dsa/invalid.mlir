// One tiny program per diagnostic.
// RUN: un0-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{has no buffer 'theta' for its result}}
dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
}

// -----

// expected-error @+1 {{has 4 oscillators but its result buffer 'theta' holds 3}}
dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 3
}

// -----

// expected-error @+1 {{has 0 oscillators}}
dsa.program @p on "h" oscillators 0 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 3
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-note @+1 {{like 'a'}}
  dsa.tile @a at 0 size 4
  // expected-error @+1 {{is tile 0, too}}
  dsa.tile @b at 0 size 4
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{uses 0 oscillators}}
  dsa.tile @a at 0 size 0
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{is of 'K', which is no parameter of the module}}
  dsa.data @k couplings of @K at [0, 0] size [4, 4] scale 1.0 unit 0.0 limit 0
}

// -----

un0.param @K : tensor<4x4xf32> from "m" key "K"
dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{takes 3 columns from 2 on of 'K', which has 4}}
  dsa.data @k couplings of @K at [0, 2] size [4, 3] scale 1.0 unit 0.0 limit 0
}

// -----

un0.param @D : tensor<10x4x2xf32> from "m" key "D"
dsa.program @p on "h" oscillators 4 conditioning 2 classes 9 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{has 9 classes but 'D' is 'tensor<10x4x2xf32>'}}
  dsa.data @d couplings of @D at [0, 0] size [4, 2] classes 9 scale 1.0 unit 0.0 limit 0
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{has frequencies in 2 columns instead of 1}}
  dsa.data @w frequencies size [4, 2] scale 1.0 unit 0.0 limit 0
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{has levels up to 15 of 0.000000e+00 radians per second}}
  dsa.data @w frequencies size [4, 1] scale 1.0 unit 0.0 limit 15
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{has 2 copies of frequencies}}
  dsa.data @w frequencies size [4, 1] copies 2 scale 1.0 unit 0.0 limit 0
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{needs a dsa.tile but the program has none named 'main'}}
  dsa.clear @main
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{needs a dsa.tile but the program has a dsa.buffer named 'theta'}}
  dsa.clear @theta
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  dsa.tile @main at 0 size 4
  dsa.data @k couplings size [3, 4] scale 1.0 unit 0.0 limit 0
  // expected-error @+1 {{takes 3 from 2 on of tile 'main', which has 4}}
  dsa.couple @main at [2, 0] with @k
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  dsa.tile @main at 0 size 4
  dsa.data @w frequencies size [4, 1] scale 1.0 unit 0.0 limit 0
  // expected-error @+1 {{loads couplings but 'w' has frequencies}}
  dsa.couple @main at [0, 0] with @w
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 3 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  dsa.tile @main at 0 size 4
  dsa.tile @cond at 1 size 4
  dsa.data @d couplings size [4, 4] classes 3 scale 1.0 unit 0.0 limit 0
  // expected-error @+1 {{loads 'd', which differs from class to class, and must be inside dsa.each}}
  dsa.link @main[0] from @cond with @d
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  dsa.tile @main at 0 size 4
  dsa.data @d couplings size [4, 4] scale 1.0 unit 0.0 limit 0
  // expected-error @+1 {{links tile 'main' to itself}}
  dsa.link @main[0] from @main with @d
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  dsa.tile @main at 0 size 4
  // expected-error @+1 {{acts on one sample and must be inside dsa.each}}
  dsa.run @main for 1.0 steps 1
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  dsa.tile @main at 0 size 4
  dsa.each {
    // expected-error @+1 {{takes -1.000000e+00 seconds}}
    dsa.run @main for -1.0 steps 1
  }
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  dsa.each {
    // expected-error @+1 {{takes 4 from 1 on of the initial phases of 'p', which has 4}}
    dsa.draw @theta from 1
  }
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  dsa.tile @main at 0 size 4
  dsa.each {
    // expected-error @+1 {{takes 3 from 2 on of buffer 'theta', which has 4}}
    dsa.phase @main[0] from @theta[2] count 3
  }
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  dsa.tile @main at 0 size 4
  dsa.each {
    // expected-error @+1 {{takes 1 from 4 on of tile 'main', which has 4}}
    dsa.sample @main[0] to @theta[0] count 4 relative 4
  }
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{repeats 0 times}}
  dsa.repeat 0 {
  }
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  dsa.each {
    dsa.repeat 2 {
      // expected-error @+1 {{is inside another dsa.each}}
      dsa.each {
      }
    }
  }
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  dsa.each {
    dsa.repeat 2 {
      // expected-error @+1 {{is done for every sample by itself and must be outside dsa.each}}
      dsa.digital "readout" readout bits 32 multiply_adds 0 special_functions 8 parameters 0 x 1 reads 16 writes 32
    }
  }
}

// -----

// Counts are 32-bit numbers in a program.
// expected-error @+1 {{has 4294967304 oscillators, outside 1..4294967295}}
dsa.program @p on "h" oscillators 4294967304 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
}

// -----

// expected-error @+1 {{has 4294967296 conditioning oscillators and 3 classes, outside 0..4294967295}}
dsa.program @p on "h" oscillators 4 conditioning 4294967296 classes 3 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{uses 4294967296 oscillators, outside 1..4294967295}}
  dsa.tile @main at 0 size 4294967296
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  // expected-error @+1 {{holds 4294967300 phases, outside 1..4294967295}}
  dsa.buffer @theta size 4294967300
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{has 4294967299 classes, outside 1..4294967295}}
  dsa.data @d couplings size [4, 4] classes 4294967299 scale 1.0 unit 0.0 limit 0
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{has 2 rows and 4611686018427387905 columns x 4, more than 4294967295}}
  dsa.data @k couplings size [2, 4611686018427387905] copies 4 scale 1.0 unit 0.0 limit 0
}

// -----

dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{has 4294967297 rows and 1 columns x 1, more than 4294967295}}
  dsa.data @k couplings size [4294967297, 1] scale 1.0 unit 0.0 limit 0
}

// -----

// An op that lacks something is reported before others look at it.
dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{requires attribute 'index'}}
  "dsa.tile"() <{sym_name = "main", size = 4 : i64}> : () -> ()
}

// -----

un0.param @K : tensor<4x4xf32> from "m" key "K"
dsa.program @p on "h" oscillators 4 conditioning 0 classes 0 solver euler time 1.0 result @theta attributes {hardware = "{}"} {
  dsa.buffer @theta size 4
  // expected-error @+1 {{is of 'K' and needs offsets, a row and a column}}
  "dsa.data"() <{sym_name = "k", content = #dsa<content couplings>, param = @K, sizes = array<i64: 4, 4>, scale = 1.0 : f64, unit = 0.0 : f64, limit = 0 : i64}> : () -> ()
}

// -----

// expected-error @+1 {{expects parent op 'dsa.program'}}
dsa.tile @main at 0 size 4
