;; A convolution of stride 1 over float32 images: the whole of what E needs beside elementwise work.
;;
;; An image lies as rows, each with a run of pixels for every channel, so that all that one output pixel needs of a row is close
;; together, and eight neighbours are two vectors. Eight pixels of four output channels are summed at a time, which leaves half of
;; the sixteen vector registers for what they are made of. After a change:
;; npx wat2wasm --enable-relaxed-simd src/downscaler/simd/conv.wat -o src/downscaler/simd/conv.wasm (package wabt).
(module
  (memory (export "memory") 1)

  ;; `in` is where the first pixel's first tap is, `channel` and `row` the bytes from a channel and from a row to the next there;
  ;; `outChannel` and `outRow` those at `out`. `kernel` taps a side over `channels` make sums for `side` x `side` pixels, a multiple
  ;; of 8. Weights: for each four output channels, kernel x kernel x channels times four floats. `bound` is 0 for a ReLU.
  (func (export "conv") (param $in i32) (param $channel i32) (param $row i32) (param $channels i32)
    (param $out i32) (param $outChannel i32) (param $outRow i32) (param $weights i32) (param $bias i32)
    (param $side i32) (param $kernel i32) (param $groups i32) (param $bound f32)
    (local $y i32) (local $x i32) (local $ky i32) (local $kx i32) (local $from i32) (local $to i32)
    (local $weight i32) (local $end i32) (local $p i32) (local $least v128) (local $near v128) (local $far v128) (local $w v128)
    (local $a0 v128) (local $a1 v128) (local $b0 v128) (local $b1 v128)
    (local $c0 v128) (local $c1 v128) (local $d0 v128) (local $d1 v128)
    (local.set $least (f32x4.splat (local.get $bound)))
    (loop $nextGroup
      (local.set $y (i32.const 0))
      (loop $nextRow
        (local.set $x (i32.const 0))
        (loop $nextPixels
          (local.set $a0 (v128.load32_splat (local.get $bias)))
          (local.set $a1 (local.get $a0))
          (local.set $b0 (v128.load32_splat offset=4 (local.get $bias)))
          (local.set $b1 (local.get $b0))
          (local.set $c0 (v128.load32_splat offset=8 (local.get $bias)))
          (local.set $c1 (local.get $c0))
          (local.set $d0 (v128.load32_splat offset=12 (local.get $bias)))
          (local.set $d1 (local.get $d0))
          (local.set $weight (local.get $weights))
          (local.set $from (i32.add (local.get $in)
            (i32.add (i32.mul (local.get $y) (local.get $row)) (i32.shl (local.get $x) (i32.const 2)))))
          (local.set $ky (local.get $kernel))
          (loop $nextKernelRow
            (local.set $kx (i32.const 0))
            (loop $nextTap
              (local.set $p (i32.add (local.get $from) (i32.shl (local.get $kx) (i32.const 2))))
              (local.set $end (i32.add (local.get $weight) (i32.shl (local.get $channels) (i32.const 4))))
              (loop $nextChannel
                (local.set $near (v128.load (local.get $p)))
                (local.set $far (v128.load offset=16 (local.get $p)))
                (local.set $w (v128.load32_splat (local.get $weight)))
                (local.set $a0 (f32x4.relaxed_madd (local.get $w) (local.get $near) (local.get $a0)))
                (local.set $a1 (f32x4.relaxed_madd (local.get $w) (local.get $far) (local.get $a1)))
                (local.set $w (v128.load32_splat offset=4 (local.get $weight)))
                (local.set $b0 (f32x4.relaxed_madd (local.get $w) (local.get $near) (local.get $b0)))
                (local.set $b1 (f32x4.relaxed_madd (local.get $w) (local.get $far) (local.get $b1)))
                (local.set $w (v128.load32_splat offset=8 (local.get $weight)))
                (local.set $c0 (f32x4.relaxed_madd (local.get $w) (local.get $near) (local.get $c0)))
                (local.set $c1 (f32x4.relaxed_madd (local.get $w) (local.get $far) (local.get $c1)))
                (local.set $w (v128.load32_splat offset=12 (local.get $weight)))
                (local.set $d0 (f32x4.relaxed_madd (local.get $w) (local.get $near) (local.get $d0)))
                (local.set $d1 (f32x4.relaxed_madd (local.get $w) (local.get $far) (local.get $d1)))
                (local.set $p (i32.add (local.get $p) (local.get $channel)))
                (br_if $nextChannel (i32.lt_u
                  (local.tee $weight (i32.add (local.get $weight) (i32.const 16))) (local.get $end))))
              (br_if $nextTap (i32.lt_u
                (local.tee $kx (i32.add (local.get $kx) (i32.const 1))) (local.get $kernel))))
            (local.set $from (i32.add (local.get $from) (local.get $row)))
            (br_if $nextKernelRow (local.tee $ky (i32.sub (local.get $ky) (i32.const 1)))))
          (local.set $to (i32.add (local.get $out)
            (i32.add (i32.mul (local.get $y) (local.get $outRow)) (i32.shl (local.get $x) (i32.const 2)))))
          (v128.store (local.get $to) (f32x4.max (local.get $a0) (local.get $least)))
          (v128.store offset=16 (local.get $to) (f32x4.max (local.get $a1) (local.get $least)))
          (local.set $to (i32.add (local.get $to) (local.get $outChannel)))
          (v128.store (local.get $to) (f32x4.max (local.get $b0) (local.get $least)))
          (v128.store offset=16 (local.get $to) (f32x4.max (local.get $b1) (local.get $least)))
          (local.set $to (i32.add (local.get $to) (local.get $outChannel)))
          (v128.store (local.get $to) (f32x4.max (local.get $c0) (local.get $least)))
          (v128.store offset=16 (local.get $to) (f32x4.max (local.get $c1) (local.get $least)))
          (local.set $to (i32.add (local.get $to) (local.get $outChannel)))
          (v128.store (local.get $to) (f32x4.max (local.get $d0) (local.get $least)))
          (v128.store offset=16 (local.get $to) (f32x4.max (local.get $d1) (local.get $least)))
          (br_if $nextPixels (i32.lt_u
            (local.tee $x (i32.add (local.get $x) (i32.const 8))) (local.get $side))))
        (br_if $nextRow (i32.lt_u
          (local.tee $y (i32.add (local.get $y) (i32.const 1))) (local.get $side))))
      (local.set $weights (local.get $weight))
      (local.set $bias (i32.add (local.get $bias) (i32.const 16)))
      (local.set $out (i32.add (local.get $out) (i32.shl (local.get $outChannel) (i32.const 2))))
      (br_if $nextGroup (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))))
