;; The inner loops of Pillow's 8-bit resampling, four channels at a time; resample.ts says how they fit together. After
;; a change: npx wat2wasm src/imaging/resample.wat -o src/imaging/resample.wasm (package wabt; a test compares the two).
;;
;; Sums are 32-bit integers with 22 fractional bits that begin at one half, so no order of additions changes them: they
;; are the scalar code's, bit for bit.
(module
  (memory (export "memory") 1)

  ;; One row through the horizontal pass: `count` pixels of 4 bytes to `out`, from pixels `step` bytes apart of which 4
  ;; bytes are read. `taps` holds three i32 for each output pixel: the byte offset of its first pixel in the row, the
  ;; address of its weights (i32), and how many there are (not 0).
  (func (export "reduce") (param $row i32) (param $step i32) (param $taps i32) (param $count i32) (param $out i32)
    (local $sum v128) (local $pixel i32) (local $weight i32) (local $end i32) (local $stop i32)
    (local.set $stop (i32.add (local.get $out) (i32.shl (local.get $count) (i32.const 2))))
    (loop $pixels
      (local.set $sum (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
      (local.set $pixel (i32.add (local.get $row) (i32.load (local.get $taps))))
      (local.set $weight (i32.load offset=4 (local.get $taps)))
      (local.set $end (i32.add (local.get $weight) (i32.shl (i32.load offset=8 (local.get $taps)) (i32.const 2))))
      (loop $weights
        (local.set $sum (i32x4.add (local.get $sum) (i32x4.mul
          (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (v128.load32_zero (local.get $pixel))))
          (v128.load32_splat (local.get $weight)))))
        (local.set $pixel (i32.add (local.get $pixel) (local.get $step)))
        (br_if $weights (i32.lt_u (local.tee $weight (i32.add (local.get $weight) (i32.const 4))) (local.get $end))))
      (local.set $sum (i32x4.shr_s (local.get $sum) (i32.const 22)))
      (local.set $sum (i16x8.narrow_i32x4_s (local.get $sum) (local.get $sum)))
      (v128.store32_lane 0 (local.get $out) (i8x16.narrow_i16x8_u (local.get $sum) (local.get $sum)))
      (local.set $taps (i32.add (local.get $taps) (i32.const 12)))
      (br_if $pixels (i32.lt_u (local.tee $out (i32.add (local.get $out) (i32.const 4))) (local.get $stop)))))

  ;; Adds `length` bytes (a multiple of 4) at `line`, times `weight`, to as many i32 at `sums`.
  (func (export "accumulate") (param $line i32) (param $length i32) (param $weight i32) (param $sums i32)
    (local $factor v128) (local $stop i32)
    (local.set $factor (i32x4.splat (local.get $weight)))
    (local.set $stop (i32.add (local.get $line) (local.get $length)))
    (loop $next
      (v128.store (local.get $sums) (i32x4.add (v128.load (local.get $sums)) (i32x4.mul (local.get $factor)
        (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (v128.load32_zero (local.get $line)))))))
      (local.set $sums (i32.add (local.get $sums) (i32.const 16)))
      (br_if $next (i32.lt_u (local.tee $line (i32.add (local.get $line) (i32.const 4))) (local.get $stop)))))

  ;; Rounds `length` (a multiple of 4) i32 at `sums` to as many bytes at `out`.
  (func (export "finish") (param $sums i32) (param $length i32) (param $out i32)
    (local $four v128) (local $stop i32)
    (local.set $stop (i32.add (local.get $out) (local.get $length)))
    (loop $next
      (local.set $four (i32x4.shr_s (v128.load (local.get $sums)) (i32.const 22)))
      (local.set $four (i16x8.narrow_i32x4_s (local.get $four) (local.get $four)))
      (v128.store32_lane 0 (local.get $out) (i8x16.narrow_i16x8_u (local.get $four) (local.get $four)))
      (local.set $sums (i32.add (local.get $sums) (i32.const 16)))
      (br_if $next (i32.lt_u (local.tee $out (i32.add (local.get $out) (i32.const 4))) (local.get $stop))))))
