// Two oscillators, the second of which is locked; ARCHIVE stands for the file of the amplitudes.
// [doc:ir]
un0.param @amplitudes : tensor<1x1xf32> from "ARCHIVE" key "A"
dsa.program @locked on "ideal" oscillators 2 conditioning 0 classes 0 solver rk4 time 1.0 result @theta
    attributes {hardware = "{}"} {
  dsa.tile @main at 0 size 2
  dsa.buffer @theta size 2
  dsa.data @w frequencies size [2, 1] scale 1.0 unit 0.0 limit 0
  dsa.data @A couplings of @amplitudes at [0, 0] size [1, 1] scale 1.0 unit 0.0 limit 0
  dsa.detune @main[0] with @w
  dsa.lock @main[1] with @A
  dsa.each {
    dsa.draw @theta from 0
    dsa.phase @main[0] from @theta[0] count 2
    dsa.run @main for 1.0 steps 100
    dsa.sample @main[0] to @theta[0] count 2
  }
}
// [doc:end]
