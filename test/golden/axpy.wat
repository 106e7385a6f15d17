;; 1274 nodes, 62 locals, 3263 bytes
;;
;; 000  movsd xmm1, qword ptr [rdx]
;; 004  add rax, 0x8
;; 008  add rdx, 0x8
;; 00c  mulsd xmm1, xmm4
;; 010  addsd xmm1, qword ptr [rax-0x8]
;; 015  movsd qword ptr [rax-0x8], xmm1
;; 01a  cmp rax, r14
;; 01d  jne 0x0
;; 01f  ret

(module
  (type $t0 (func (param i32 i64 i32) (result i32)))
  (type $t1 (func (param i32 i64) (result i32)))
  (type $t2 (func (param i32 i64 i32 i64) (result i32)))
  (type $t3 (func (param i32 i32) (result i32)))
  (import "env" "memory" (memory $env.memory 1536 65536 shared))
  (import "env" "handlers" (table $env.handlers 1 funcref))
  (import "env" "enter_read" (func $env.enter_read (type $t0)))
  (import "env" "enter_write" (func $env.enter_write (type $t0)))
  (import "env" "goto" (func $env.goto (type $t1)))
  (import "env" "goto_interpreter" (func $env.goto_interpreter (type $t1)))
  (import "env" "goto_link" (func $env.goto_link (type $t0)))
  (import "env" "goto_from" (func $env.goto_from (type $t2)))
  (func $r0 (type $t3) (param $p0 i32) (param $p1 i32) (result i32)
    (local $l2 i32) (local $l3 i64) (local $l4 i32) (local $l5 i64) (local $l6 i32) (local $l7 i64) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 v128) (local $l12 f64) (local $l13 f64) (local $l14 v128) (local $l15 v128) (local $l16 v128) (local $l17 v128) (local $l18 i32) (local $l19 f64) (local $l20 i64) (local $l21 i64) (local $l22 i32) (local $l23 i64) (local $l24 i64) (local $l25 v128) (local $l26 i64) (local $l27 f64) (local $l28 f64) (local $l29 f64) (local $l30 i32) (local $l31 f64) (local $l32 v128) (local $l33 i64) (local $l34 i64) (local $l35 i32) (local $l36 i32) (local $l37 i32) (local $l38 i32) (local $l39 i32) (local $l40 i32) (local $l41 i32) (local $l42 f64) (local $l43 v128) (local $l44 v128) (local $l45 v128) (local $l46 v128) (local $l47 v128) (local $l48 v128) (local $l49 v128) (local $l50 v128) (local $l51 v128) (local $l52 i64) (local $l53 f64) (local $l54 f64) (local $l55 f64) (local $l56 i32) (local $l57 f64) (local $l58 i64) (local $l59 i64) (local $l60 i64) (local $l61 i32) (local $l62 i64) (local $l63 i32)
    local.get $p0
    i32.load offset=168 align=1
    local.set $l2
    local.get $p0
    i64.load offset=144 align=1
    local.set $l3
    local.get $p0
    i32.load offset=180 align=1
    local.set $l4
    local.get $p0
    i64.load offset=152 align=1
    local.set $l5
    local.get $p0
    i32.load offset=160 align=1
    local.set $l6
    local.get $p0
    i64.load align=1
    local.set $l7
    local.get $p0
    i64.load offset=16 align=1
    local.set $l8
    local.get $p0
    i64.load offset=32 align=1
    local.set $l9
    local.get $p0
    i64.load offset=112 align=1
    local.set $l10
    local.get $p0
    v128.load offset=256 align=1
    local.set $l11
    local.get $p0
    i32.const 256
    i32.add
    f64.load align=1
    local.set $l12
    local.get $p0
    i32.const 304
    i32.add
    f64.load align=1
    local.set $l13
    v128.const i32x4 0x80400000 0x80400000 0x80400000 0x80400000
    local.set $l14
    v128.const i32x4 0x7f9fffff 0x7f9fffff 0x7f9fffff 0x7f9fffff
    local.set $l15
    v128.const i32x4 0xdfe00000 0xdfe00000 0xdfe00000 0xdfe00000
    local.set $l16
    v128.const i32x4 0xbfffffff 0xbfffffff 0xbfffffff 0xbfffffff
    local.set $l17
    local.get $l2
    i32.const 9
    i32.lt_s
    if $I0
      local.get $p0
      local.get $p1
      i32.const 48
      i32.add
      local.tee $l18
      local.get $l18
      i32.load align=1
      return_call_indirect (type $t3)
    end
    local.get $p0
    i32.load offset=1112 align=1
    i32.const 4
    i32.and
    if $I1
      local.get $p0
      local.get $p1
      i32.const 48
      i32.add
      local.tee $l18
      local.get $l18
      i32.load align=1
      return_call_indirect (type $t3)
    end
    local.get $p0
    i32.load offset=232 align=1
    i32.const 32672
    i32.and
    i32.const 8096
    i32.ne
    if $I2
      local.get $p0
      local.get $p1
      i32.const 48
      i32.add
      local.tee $l18
      local.get $l18
      i32.load align=1
      return_call_indirect (type $t3)
    end
    block $B3
      block $B4
        local.get $l13
        local.tee $l19
        i64.reinterpret_f64
        i64.const 32
        i64.shr_u
        i32.wrap_i64
        local.tee $l18
        local.get $l18
        i32.add
        i32.const 2097152
        i32.lt_u
        if $I5
          local.get $l19
          i64.reinterpret_f64
          i64.const 1
          i64.shl
          i64.eqz
          i32.eqz
          br_if $B4
        end
        br $B3
      end
      local.get $p0
      local.get $p1
      i32.const 48
      i32.add
      local.tee $l18
      local.get $l18
      i32.load align=1
      return_call_indirect (type $t3)
    end
    block $B6
      block $B7
        block $B8
          block $B9
            local.get $l5
            local.set $l20
            local.get $l6
            i64.extend_i32_u
            local.set $l21
            i32.const 0
            local.set $l22
            loop $L10
              local.get $l4
              local.get $l8
              local.tee $l23
              i32.wrap_i64
              i32.const 8
              i32.shr_u
              i32.const 65520
              i32.and
              i32.add
              local.tee $l18
              i64.load align=1
              local.get $l23
              i64.const 7
              i64.add
              i64.const -4096
              i64.and
              i64.ne
              if $I11
                local.get $p0
                local.get $l23
                i32.const 8
                call $env.enter_read
                i32.eqz
                if $I12
                  i64.const 65536
                  local.set $l24
                  br $B6
                end
              end
              local.get $l25
              local.set $l11
              local.get $l7
              i64.const 8
              i64.add
              local.set $l7
              local.get $l23
              i64.const 8
              i64.add
              local.tee $l26
              local.set $l8
              local.get $l23
              i32.wrap_i64
              local.get $l18
              i32.load offset=8 align=1
              i32.add
              f64.load align=1
              local.tee $l12
              local.set $l19
              block $B13
                block $B14
                  block $B15
                    local.get $l12
                    local.tee $l27
                    local.get $l13
                    local.tee $l28
                    f64.mul
                    local.tee $l29
                    local.set $l12
                    br $B15
                  end
                  block $B16
                    local.get $l4
                    local.get $l7
                    i64.const -8
                    i64.add
                    local.tee $l23
                    i32.wrap_i64
                    i32.const 8
                    i32.shr_u
                    i32.const 65520
                    i32.and
                    i32.add
                    local.tee $l18
                    i64.load align=1
                    local.get $l23
                    i64.const 7
                    i64.add
                    i64.const -4096
                    i64.and
                    i64.ne
                    if $I17
                      local.get $p0
                      local.get $l23
                      i32.const 8
                      call $env.enter_read
                      i32.eqz
                      br_if $B14
                    end
                    local.get $l12
                    local.get $l23
                    i32.wrap_i64
                    local.get $l18
                    i32.load offset=8 align=1
                    i32.add
                    local.tee $l30
                    f64.load align=1
                    f64.add
                    local.tee $l31
                    local.set $l12
                    br $B16
                  end
                  local.get $l27
                  f64x2.splat
                  local.get $l29
                  f64x2.replace_lane 1
                  local.get $l30
                  f64.load align=1
                  f64x2.splat
                  local.get $l31
                  f64x2.replace_lane 1
                  i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
                  local.tee $l32
                  local.get $l32
                  i32x4.add
                  local.get $l14
                  i32x4.sub
                  local.get $l15
                  i32x4.gt_s
                  i32x4.bitmask
                  if $I18
                    local.get $l27
                    i64.reinterpret_f64
                    i64.const 32
                    i64.shr_u
                    i32.wrap_i64
                    local.tee $l18
                    local.get $l18
                    i32.add
                    i32.const 2097152
                    i32.lt_u
                    if $I19
                      local.get $l27
                      i64.reinterpret_f64
                      i64.const 1
                      i64.shl
                      i64.eqz
                      i32.eqz
                      br_if $B14
                    end
                    local.get $l29
                    i64.reinterpret_f64
                    i64.const 32
                    i64.shr_u
                    i32.wrap_i64
                    local.tee $l18
                    local.get $l18
                    i32.add
                    i32.const 4194304
                    i32.sub
                    i32.const -6291456
                    i32.ge_u
                    if $I20
                      local.get $l29
                      i64.reinterpret_f64
                      i64.const 1
                      i64.shl
                      i64.eqz
                      i32.eqz
                      br_if $B14
                      local.get $l27
                      i64.reinterpret_f64
                      i64.const 1
                      i64.shl
                      i64.eqz
                      local.get $l28
                      i64.reinterpret_f64
                      i64.const 1
                      i64.shl
                      i64.eqz
                      i32.or
                      i32.eqz
                      br_if $B14
                    end
                    local.get $l30
                    i32.load offset=4 align=1
                    local.tee $l18
                    local.get $l18
                    i32.add
                    i32.const 2097152
                    i32.lt_u
                    if $I21
                      local.get $l30
                      i64.load align=1
                      i64.const 1
                      i64.shl
                      i64.eqz
                      i32.eqz
                      br_if $B14
                    end
                    local.get $l31
                    i64.reinterpret_f64
                    i64.const 32
                    i64.shr_u
                    i32.wrap_i64
                    local.tee $l18
                    local.get $l18
                    i32.add
                    i32.const 4194304
                    i32.sub
                    i32.const -6291456
                    i32.ge_u
                    if $I22
                      local.get $l31
                      i64.reinterpret_f64
                      i64.const 1
                      i64.shl
                      i64.eqz
                      i32.eqz
                      br_if $B14
                    end
                  end
                  br $B13
                end
                local.get $l19
                local.set $l12
                i64.const 51539673091
                local.set $l24
                br $B9
              end
              local.get $l4
              local.get $l7
              i64.const -8
              i64.add
              local.tee $l23
              i32.wrap_i64
              i32.const 8
              i32.shr_u
              i32.const 65520
              i32.and
              i32.add
              local.tee $l18
              i64.load offset=65536 align=1
              local.get $l23
              i64.const 7
              i64.add
              i64.const -4096
              i64.and
              i64.ne
              if $I23
                local.get $p0
                local.get $l23
                i32.const 8
                call $env.enter_write
                i32.eqz
                if $I24
                  i64.const 90194378757
                  local.set $l24
                  br $B9
                end
              end
              local.get $l23
              i32.wrap_i64
              local.get $l18
              i32.load offset=65544 align=1
              i32.add
              local.get $l12
              f64.store align=1
              local.get $l2
              i32.const 8
              i32.sub
              local.set $l2
              local.get $l7
              local.set $l33
              local.get $l10
              local.set $l34
              local.get $l35
              local.tee $l18
              i32.const 1
              i32.add
              local.set $l35
              local.get $l7
              local.get $l34
              i64.ne
              local.tee $l36
              local.get $l18
              i32.const 3
              i32.and
              i32.eqz
              i32.and
              if $I25
                local.get $l26
                i32.wrap_i64
                local.get $l4
                local.get $l26
                i32.wrap_i64
                i32.const 8
                i32.shr_u
                i32.const 65520
                i32.and
                i32.add
                local.tee $l18
                i32.load offset=8 align=1
                i32.add
                local.set $l37
                i32.const 4088
                local.get $l26
                i32.wrap_i64
                i32.const 4095
                i32.and
                i32.sub
                local.tee $l38
                i32.const 3
                i32.shr_u
                i32.const 1
                i32.add
                i32.const 0
                local.get $l18
                i64.load align=1
                local.get $l26
                i64.const -4096
                i64.and
                i64.eq
                local.get $l38
                i32.const 0
                i32.ge_s
                i32.and
                select
                local.tee $l38
                local.get $l2
                i32.const 9
                i32.sub
                i32.const 8
                i32.div_s
                local.tee $l39
                local.tee $l18
                local.get $l38
                local.get $l18
                i32.lt_s
                select
                local.set $l39
                local.get $l7
                i32.wrap_i64
                local.get $l4
                local.get $l7
                i32.wrap_i64
                i32.const 8
                i32.shr_u
                i32.const 65520
                i32.and
                i32.add
                local.tee $l18
                i32.load offset=65544 align=1
                i32.add
                local.set $l40
                i32.const 4088
                local.get $l7
                i32.wrap_i64
                i32.const 4095
                i32.and
                i32.sub
                local.tee $l38
                i32.const 3
                i32.shr_u
                i32.const 1
                i32.add
                i32.const 0
                local.get $l18
                i64.load offset=65536 align=1
                local.get $l7
                i64.const -4096
                i64.and
                i64.eq
                local.get $l38
                i32.const 0
                i32.ge_s
                i32.and
                select
                local.tee $l38
                local.get $l39
                local.tee $l18
                local.get $l38
                local.get $l18
                i32.lt_s
                select
                local.tee $l39
                i32.const 1
                i32.gt_s
                if $I26
                  local.get $l10
                  local.get $l7
                  i64.const 8
                  i64.add
                  i64.sub
                  i64.const 3
                  i64.shr_u
                  local.tee $l23
                  i32.wrap_i64
                  i32.const 2147483647
                  local.get $l23
                  i64.const 2147483647
                  i64.lt_u
                  select
                  local.tee $l18
                  local.get $l39
                  i32.const 1
                  i32.sub
                  local.tee $l38
                  local.get $l18
                  local.get $l38
                  i32.lt_s
                  select
                  i32.const -4
                  i32.and
                  local.tee $l38
                  if $I27
                    local.get $l37
                    local.get $l40
                    i32.sub
                    i32.const 3
                    i32.const 8
                    i32.mul
                    i32.const 8
                    i32.add
                    local.tee $l18
                    i32.add
                    i32.const 1
                    i32.sub
                    local.get $l18
                    i32.const 3
                    i32.const 8
                    i32.mul
                    i32.const 8
                    i32.add
                    i32.add
                    i32.const 1
                    i32.sub
                    i32.ge_u
                    if $I28
                      local.get $l38
                      local.set $l41
                      block $B29
                        local.get $l13
                        local.tee $l19
                        f64x2.splat
                        local.set $l32
                        local.get $l19
                        f64.abs
                        local.tee $l42
                        f64.const 0x1p-256 (;=8.63617e-78;)
                        f64.ge
                        local.get $l42
                        f64.const 0x1p+256 (;=1.15792e+77;)
                        f64.lt
                        i32.and
                        local.get $l19
                        f64.const 0x0p+0 (;=0;)
                        f64.eq
                        i32.or
                        i32.eqz
                        br_if $B29
                        loop $L30
                          local.get $l37
                          local.tee $l18
                          v128.load offset=16 align=1
                          local.set $l43
                          block $B31
                            block $B32
                              block $B33
                                local.get $l18
                                v128.load align=1
                                local.tee $l44
                                local.get $l32
                                f64x2.mul
                                local.set $l45
                                br $B33
                              end
                              block $B34
                                local.get $l43
                                local.get $l32
                                f64x2.mul
                                local.set $l46
                                br $B34
                              end
                              local.get $l40
                              local.tee $l18
                              v128.load offset=16 align=1
                              local.set $l47
                              block $B35
                                local.get $l45
                                local.get $l18
                                v128.load align=1
                                local.tee $l48
                                f64x2.add
                                local.set $l49
                                br $B35
                              end
                              local.get $l44
                              local.get $l43
                              i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
                              local.tee $l50
                              local.get $l50
                              i32x4.add
                              local.get $l16
                              i32x4.sub
                              local.get $l45
                              local.get $l48
                              i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
                              local.tee $l50
                              local.get $l50
                              i32x4.add
                              local.get $l16
                              i32x4.sub
                              i32x4.max_s
                              local.get $l17
                              i32x4.gt_s
                              i32x4.bitmask
                              if $I36
                                local.get $l44
                                f64x2.abs
                                local.tee $l50
                                f64.const 0x1p-256 (;=8.63617e-78;)
                                f64x2.splat
                                f64x2.ge
                                local.get $l50
                                f64.const 0x1p+256 (;=1.15792e+77;)
                                f64x2.splat
                                f64x2.lt
                                v128.and
                                local.get $l44
                                f64.const 0x0p+0 (;=0;)
                                f64x2.splat
                                f64x2.eq
                                v128.or
                                i32x4.all_true
                                i32.eqz
                                br_if $B32
                                local.get $l43
                                f64x2.abs
                                local.tee $l50
                                f64.const 0x1p-256 (;=8.63617e-78;)
                                f64x2.splat
                                f64x2.ge
                                local.get $l50
                                f64.const 0x1p+256 (;=1.15792e+77;)
                                f64x2.splat
                                f64x2.lt
                                v128.and
                                local.get $l43
                                f64.const 0x0p+0 (;=0;)
                                f64x2.splat
                                f64x2.eq
                                v128.or
                                i32x4.all_true
                                i32.eqz
                                br_if $B32
                                local.get $l45
                                f64x2.abs
                                local.tee $l43
                                f64.const 0x1p-256 (;=8.63617e-78;)
                                f64x2.splat
                                f64x2.ge
                                local.get $l43
                                f64.const 0x1p+256 (;=1.15792e+77;)
                                f64x2.splat
                                f64x2.lt
                                v128.and
                                local.get $l45
                                f64.const 0x0p+0 (;=0;)
                                f64x2.splat
                                f64x2.eq
                                v128.or
                                i32x4.all_true
                                i32.eqz
                                br_if $B32
                                local.get $l48
                                f64x2.abs
                                local.tee $l43
                                f64.const 0x1p-256 (;=8.63617e-78;)
                                f64x2.splat
                                f64x2.ge
                                local.get $l43
                                f64.const 0x1p+256 (;=1.15792e+77;)
                                f64x2.splat
                                f64x2.lt
                                v128.and
                                local.get $l48
                                f64.const 0x0p+0 (;=0;)
                                f64x2.splat
                                f64x2.eq
                                v128.or
                                i32x4.all_true
                                i32.eqz
                                br_if $B32
                              end
                              br $B31
                            end
                            br $B29
                          end
                          block $B37
                            block $B38
                              block $B39
                                local.get $l46
                                local.get $l47
                                f64x2.add
                                local.set $l51
                                br $B39
                              end
                              local.get $l46
                              local.get $l47
                              i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
                              local.tee $l43
                              local.get $l43
                              i32x4.add
                              local.get $l16
                              i32x4.sub
                              local.get $l17
                              i32x4.gt_s
                              i32x4.bitmask
                              if $I40
                                local.get $l46
                                f64x2.abs
                                local.tee $l43
                                f64.const 0x1p-256 (;=8.63617e-78;)
                                f64x2.splat
                                f64x2.ge
                                local.get $l43
                                f64.const 0x1p+256 (;=1.15792e+77;)
                                f64x2.splat
                                f64x2.lt
                                v128.and
                                local.get $l46
                                f64.const 0x0p+0 (;=0;)
                                f64x2.splat
                                f64x2.eq
                                v128.or
                                i32x4.all_true
                                i32.eqz
                                br_if $B38
                                local.get $l47
                                f64x2.abs
                                local.tee $l43
                                f64.const 0x1p-256 (;=8.63617e-78;)
                                f64x2.splat
                                f64x2.ge
                                local.get $l43
                                f64.const 0x1p+256 (;=1.15792e+77;)
                                f64x2.splat
                                f64x2.lt
                                v128.and
                                local.get $l47
                                f64.const 0x0p+0 (;=0;)
                                f64x2.splat
                                f64x2.eq
                                v128.or
                                i32x4.all_true
                                i32.eqz
                                br_if $B38
                              end
                              br $B37
                            end
                            br $B29
                          end
                          local.get $l40
                          local.tee $l18
                          local.get $l49
                          v128.store align=1
                          local.get $l18
                          local.get $l51
                          v128.store offset=16 align=1
                          local.get $l37
                          i32.const 32
                          i32.add
                          local.set $l37
                          local.get $l40
                          i32.const 32
                          i32.add
                          local.set $l40
                          local.get $l41
                          i32.const 4
                          i32.sub
                          local.tee $l41
                          br_if $L30
                        end
                      end
                      local.get $l39
                      local.get $l38
                      local.get $l41
                      i32.sub
                      local.tee $l38
                      i32.sub
                      local.set $l39
                      local.get $l2
                      local.get $l38
                      i32.const 8
                      i32.mul
                      i32.sub
                      local.set $l2
                      local.get $l7
                      local.get $l38
                      i64.extend_i32_u
                      i64.const 8
                      i64.mul
                      i64.add
                      local.set $l7
                      local.get $l8
                      local.get $l38
                      i64.extend_i32_u
                      i64.const 8
                      i64.mul
                      i64.add
                      local.set $l8
                    end
                  end
                  block $B41
                    loop $L42
                      local.get $l25
                      local.set $l11
                      local.get $l7
                      i64.const 8
                      i64.add
                      local.set $l7
                      local.get $l8
                      i64.const 8
                      i64.add
                      local.tee $l52
                      local.set $l8
                      local.get $l37
                      f64.load align=1
                      local.tee $l12
                      local.set $l19
                      block $B43
                        block $B44
                          block $B45
                            local.get $l12
                            local.tee $l53
                            local.get $l13
                            local.tee $l54
                            f64.mul
                            local.tee $l55
                            local.set $l12
                            br $B45
                          end
                          block $B46
                            local.get $l12
                            local.get $l40
                            local.tee $l56
                            f64.load align=1
                            f64.add
                            local.tee $l57
                            local.set $l12
                            br $B46
                          end
                          local.get $l53
                          f64x2.splat
                          local.get $l55
                          f64x2.replace_lane 1
                          local.get $l56
                          f64.load align=1
                          f64x2.splat
                          local.get $l57
                          f64x2.replace_lane 1
                          i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
                          local.tee $l32
                          local.get $l32
                          i32x4.add
                          local.get $l14
                          i32x4.sub
                          local.get $l15
                          i32x4.gt_s
                          i32x4.bitmask
                          if $I47
                            local.get $l53
                            i64.reinterpret_f64
                            i64.const 32
                            i64.shr_u
                            i32.wrap_i64
                            local.tee $l38
                            local.get $l38
                            i32.add
                            i32.const 2097152
                            i32.lt_u
                            if $I48
                              local.get $l53
                              i64.reinterpret_f64
                              i64.const 1
                              i64.shl
                              i64.eqz
                              i32.eqz
                              br_if $B44
                            end
                            local.get $l55
                            i64.reinterpret_f64
                            i64.const 32
                            i64.shr_u
                            i32.wrap_i64
                            local.tee $l38
                            local.get $l38
                            i32.add
                            i32.const 4194304
                            i32.sub
                            i32.const -6291456
                            i32.ge_u
                            if $I49
                              local.get $l55
                              i64.reinterpret_f64
                              i64.const 1
                              i64.shl
                              i64.eqz
                              i32.eqz
                              br_if $B44
                              local.get $l53
                              i64.reinterpret_f64
                              i64.const 1
                              i64.shl
                              i64.eqz
                              local.get $l54
                              i64.reinterpret_f64
                              i64.const 1
                              i64.shl
                              i64.eqz
                              i32.or
                              i32.eqz
                              br_if $B44
                            end
                            local.get $l56
                            i32.load offset=4 align=1
                            local.tee $l38
                            local.get $l38
                            i32.add
                            i32.const 2097152
                            i32.lt_u
                            if $I50
                              local.get $l56
                              i64.load align=1
                              i64.const 1
                              i64.shl
                              i64.eqz
                              i32.eqz
                              br_if $B44
                            end
                            local.get $l57
                            i64.reinterpret_f64
                            i64.const 32
                            i64.shr_u
                            i32.wrap_i64
                            local.tee $l38
                            local.get $l38
                            i32.add
                            i32.const 4194304
                            i32.sub
                            i32.const -6291456
                            i32.ge_u
                            if $I51
                              local.get $l57
                              i64.reinterpret_f64
                              i64.const 1
                              i64.shl
                              i64.eqz
                              i32.eqz
                              br_if $B44
                            end
                          end
                          br $B43
                        end
                        local.get $l19
                        local.set $l12
                        i64.const 51539673091
                        local.set $l24
                        br $B8
                      end
                      local.get $l40
                      local.get $l12
                      f64.store align=1
                      local.get $l2
                      i32.const 8
                      i32.sub
                      local.set $l2
                      local.get $l37
                      i32.const 8
                      i32.add
                      local.set $l37
                      local.get $l40
                      i32.const 8
                      i32.add
                      local.set $l40
                      local.get $l39
                      i32.const 1
                      i32.sub
                      local.set $l39
                      local.get $l7
                      local.set $l33
                      local.get $l10
                      local.set $l34
                      local.get $l7
                      local.get $l34
                      i64.ne
                      i32.eqz
                      if $I52
                        i32.const 0
                        local.set $l36
                        br $B41
                      end
                      local.get $l39
                      i32.const 0
                      i32.gt_s
                      br_if $L42
                    end
                  end
                end
              end
              local.get $l33
              local.set $l58
              local.get $l34
              local.set $l59
              local.get $l36
              if $I53
                local.get $l2
                i32.const 9
                i32.lt_s
                if $I54
                  i64.const 131072
                  local.set $l24
                  br $B7
                end
                local.get $l58
                local.set $l20
                local.get $l59
                local.set $l21
                i32.const 7
                local.set $l22
                br $L10
              end
              local.get $l4
              local.get $l9
              local.tee $l23
              i32.wrap_i64
              i32.const 8
              i32.shr_u
              i32.const 65520
              i32.and
              i32.add
              local.tee $l38
              i64.load align=1
              local.get $l23
              i64.const 7
              i64.add
              i64.const -4096
              i64.and
              i64.ne
              if $I55
                local.get $p0
                local.get $l23
                i32.const 8
                call $env.enter_read
                i32.eqz
                if $I56
                  i64.const 133144051712
                  local.set $l24
                  br $B7
                end
              end
              local.get $l23
              i32.wrap_i64
              local.get $l38
              i32.load offset=8 align=1
              i32.add
              i64.load align=1
              local.tee $l60
              i64.const 16
              i64.shl
              i64.const 16
              i64.shr_s
              local.get $l60
              i64.ne
              if $I57
                i64.const 133144051712
                local.set $l24
                br $B7
              end
              local.get $l23
              i64.const 8
              i64.add
              local.set $l9
              i32.const 31
              local.set $l61
              local.get $l60
              local.get $l3
              i64.sub
              local.set $l62
              local.get $l60
              local.set $l3
              i64.const 1
              local.set $l24
              br $B7
            end
          end
          local.get $l26
          local.set $l20
          i64.const 8
          local.set $l21
          i32.const 15
          local.set $l22
          br $B6
        end
        local.get $l52
        local.set $l20
        i64.const 8
        local.set $l21
        i32.const 15
        local.set $l22
        br $B6
      end
      local.get $l58
      local.set $l20
      local.get $l59
      local.set $l21
      i32.const 7
      local.set $l22
      br $B6
    end
    local.get $l22
    i32.eqz
    if $I58
      local.get $l20
      local.set $l5
      local.get $l21
      i32.wrap_i64
      local.set $l6
    else
      local.get $l22
      i32.const 7
      i32.eq
      if $I59
        local.get $l20
        local.tee $l10
        local.get $l21
        local.tee $l60
        i64.sub
        local.set $l5
        local.get $l10
        i64.const -1
        i64.xor
        local.tee $l10
        local.get $l60
        i64.and
        local.get $l10
        local.get $l60
        i64.or
        local.get $l5
        i64.and
        i64.or
        local.tee $l60
        i64.const 32
        i64.shr_u
        i32.wrap_i64
        i32.const -1073741824
        i32.and
        local.get $l60
        i32.wrap_i64
        i32.const 8
        i32.and
        i32.or
        local.set $l6
      else
        local.get $l20
        local.tee $l5
        local.get $l21
        local.tee $l60
        i64.sub
        local.tee $l10
        local.get $l60
        i64.and
        local.get $l10
        local.get $l60
        i64.or
        local.get $l5
        i64.const -1
        i64.xor
        i64.and
        i64.or
        local.tee $l60
        i64.const 32
        i64.shr_u
        i32.wrap_i64
        i32.const -1073741824
        i32.and
        local.get $l60
        i32.wrap_i64
        i32.const 8
        i32.and
        i32.or
        local.set $l6
      end
    end
    local.get $l3
    local.get $l24
    i64.const 32
    i64.shr_s
    i64.add
    local.set $l60
    local.get $p0
    local.get $l2
    local.get $l24
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.tee $l2
    i32.store offset=168 align=1
    local.get $p0
    local.get $l5
    i64.store offset=152 align=1
    local.get $p0
    local.get $l6
    i32.store offset=160 align=1
    local.get $p0
    local.get $l7
    i64.store align=1
    local.get $p0
    local.get $l8
    i64.store offset=16 align=1
    local.get $p0
    local.get $l9
    i64.store offset=32 align=1
    local.get $p0
    local.get $l11
    v128.store offset=256 align=1
    local.get $p0
    local.get $l12
    f64.store offset=256 align=1
    local.get $l24
    i32.wrap_i64
    local.tee $l38
    i32.const 16
    i32.shr_u
    i32.const 3
    i32.and
    local.tee $l18
    i32.const 2
    i32.ge_u
    if $I60
      local.get $p1
      i32.load offset=32 align=1
      local.get $l38
      i32.const 18
      i32.shr_u
      i32.const 8
      i32.mul
      i32.add
      local.tee $l38
      i32.load align=1
      local.tee $l63
      if $I61
        local.get $l18
        i32.const 2
        i32.eq
        if $I62
          local.get $p0
          local.get $l63
          local.get $l63
          i32.load align=1
          return_call_indirect (type $t3)
        end
        local.get $l4
        local.get $l60
        i64.const -4096
        i64.and
        local.tee $l10
        i32.wrap_i64
        i32.const 8
        i32.shr_u
        i32.const 65520
        i32.and
        i32.add
        local.tee $l4
        i64.load offset=131072 align=1
        local.get $l10
        i64.eq
        local.get $l10
        i32.wrap_i64
        local.get $l4
        i32.load offset=131080 align=1
        i32.add
        local.get $l38
        i32.load offset=4 align=1
        i32.eq
        i32.and
        if $I63
          local.get $p0
          local.get $l10
          i64.store offset=144 align=1
          local.get $p0
          local.get $l63
          local.get $l63
          i32.load align=1
          return_call_indirect (type $t3)
        end
      end
      local.get $p0
      local.get $l60
      local.get $l38
      return_call $env.goto_link
    end
    local.get $l18
    if $I64
      local.get $p0
      local.get $l60
      return_call $env.goto_interpreter
    end
    local.get $p0
    local.get $l60
    local.get $l61
    local.get $l62
    return_call $env.goto_from
    unreachable)
  (export "r0" (func $r0)))
