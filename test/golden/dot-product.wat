;; 1153 nodes, 64 locals, 3270 bytes
;;
;; 000  movapd xmm0, xmmword ptr [rsi+rax]
;; 005  mulpd xmm0, xmmword ptr [rdi+rax]
;; 00a  addpd xmm1, xmm0
;; 00e  add rax, 0x10
;; 012  cmp rax, rcx
;; 015  jne 0x0
;; 017  ret

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
    (local $l2 i32) (local $l3 i64) (local $l4 i32) (local $l5 i64) (local $l6 i32) (local $l7 i64) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i64) (local $l12 v128) (local $l13 v128) (local $l14 v128) (local $l15 v128) (local $l16 v128) (local $l17 v128) (local $l18 v128) (local $l19 v128) (local $l20 v128) (local $l21 v128) (local $l22 v128) (local $l23 i32) (local $l24 v128) (local $l25 v128) (local $l26 i64) (local $l27 i64) (local $l28 i32) (local $l29 i64) (local $l30 i64) (local $l31 v128) (local $l32 v128) (local $l33 v128) (local $l34 v128) (local $l35 v128) (local $l36 v128) (local $l37 i64) (local $l38 i64) (local $l39 i32) (local $l40 i32) (local $l41 i32) (local $l42 i32) (local $l43 i32) (local $l44 i32) (local $l45 i32) (local $l46 i32) (local $l47 v128) (local $l48 v128) (local $l49 v128) (local $l50 v128) (local $l51 v128) (local $l52 v128) (local $l53 v128) (local $l54 v128) (local $l55 v128) (local $l56 i64) (local $l57 i64) (local $l58 v128) (local $l59 v128) (local $l60 v128) (local $l61 i64) (local $l62 i64) (local $l63 i64) (local $l64 i32) (local $l65 i64)
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
    i64.load offset=8 align=1
    local.set $l8
    local.get $p0
    i64.load offset=32 align=1
    local.set $l9
    local.get $p0
    i64.load offset=48 align=1
    local.set $l10
    local.get $p0
    i64.load offset=56 align=1
    local.set $l11
    local.get $p0
    v128.load offset=240 align=1
    local.set $l12
    local.get $p0
    v128.load offset=256 align=1
    local.set $l13
    v128.const i32x4 0x80400000 0x80400000 0x80400000 0x80400000
    local.set $l14
    v128.const i32x4 0x7f9fffff 0x7f9fffff 0x7f9fffff 0x7f9fffff
    local.set $l15
    v128.const i32x4 0xffffffff 0x7fffffff 0xffffffff 0x7fffffff
    local.set $l16
    v128.const i32x4 0x00000001 0x00000000 0x00000001 0x00000000
    local.set $l17
    v128.const i32x4 0xffffffff 0x000fffff 0xffffffff 0x000fffff
    local.set $l18
    v128.const i32x4 0x00000001 0x00100000 0x00000001 0x00100000
    local.set $l19
    v128.const i32x4 0xffffffff 0x7fefffff 0xffffffff 0x7fefffff
    local.set $l20
    v128.const i32x4 0xdfe00000 0xdfe00000 0xdfe00000 0xdfe00000
    local.set $l21
    v128.const i32x4 0xbfffffff 0xbfffffff 0xbfffffff 0xbfffffff
    local.set $l22
    local.get $l2
    i32.const 7
    i32.lt_s
    if $I0
      local.get $p0
      local.get $p1
      i32.const 48
      i32.add
      local.tee $l23
      local.get $l23
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
      local.tee $l23
      local.get $l23
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
      local.tee $l23
      local.get $l23
      i32.load align=1
      return_call_indirect (type $t3)
    end
    block $B3
      block $B4
        local.get $l13
        local.tee $l24
        local.get $l16
        v128.and
        local.get $l17
        i64x2.sub
        local.tee $l25
        local.get $l18
        i64x2.sub
        local.get $l25
        v128.andnot
        i64x2.bitmask
        br_if $B4
        local.get $l24
        local.get $l24
        f64x2.ne
        i64x2.bitmask
        br_if $B4
        br $B3
      end
      local.get $p0
      local.get $p1
      i32.const 48
      i32.add
      local.tee $l23
      local.get $l23
      i32.load align=1
      return_call_indirect (type $t3)
    end
    block $B5
      block $B6
        block $B7
          local.get $l5
          local.set $l26
          local.get $l6
          i64.extend_i32_u
          local.set $l27
          i32.const 0
          local.set $l28
          loop $L8
            local.get $l10
            local.get $l7
            i64.add
            local.tee $l29
            i32.wrap_i64
            i32.const 15
            i32.and
            if $I9
              i64.const 65536
              local.set $l30
              br $B5
            end
            local.get $l4
            local.get $l29
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.tee $l23
            i64.load align=1
            local.get $l29
            i64.const 15
            i64.add
            i64.const -4096
            i64.and
            i64.ne
            if $I10
              local.get $p0
              local.get $l29
              i32.const 16
              call $env.enter_read
              i32.eqz
              if $I11
                i64.const 65536
                local.set $l30
                br $B5
              end
            end
            local.get $l29
            i32.wrap_i64
            local.get $l23
            i32.load offset=8 align=1
            i32.add
            v128.load align=1
            local.tee $l24
            local.tee $l12
            local.set $l25
            local.get $l13
            local.set $l31
            block $B12
              block $B13
                block $B14
                  local.get $l11
                  local.get $l7
                  i64.add
                  local.tee $l29
                  i32.wrap_i64
                  i32.const 15
                  i32.and
                  if $I15
                    i64.const 21474902017
                    local.set $l30
                    br $B5
                  end
                  local.get $l4
                  local.get $l29
                  i32.wrap_i64
                  i32.const 8
                  i32.shr_u
                  i32.const 65520
                  i32.and
                  i32.add
                  local.tee $l23
                  i64.load align=1
                  local.get $l29
                  i64.const 15
                  i64.add
                  i64.const -4096
                  i64.and
                  i64.ne
                  if $I16
                    local.get $p0
                    local.get $l29
                    i32.const 16
                    call $env.enter_read
                    i32.eqz
                    if $I17
                      i64.const 21474902017
                      local.set $l30
                      br $B5
                    end
                  end
                  local.get $l24
                  local.get $l29
                  i32.wrap_i64
                  local.get $l23
                  i32.load offset=8 align=1
                  i32.add
                  v128.load align=1
                  local.tee $l32
                  f64x2.mul
                  local.tee $l33
                  local.set $l12
                  br $B14
                end
                block $B18
                  local.get $l13
                  local.get $l12
                  f64x2.add
                  local.tee $l34
                  local.set $l13
                  br $B18
                end
                local.get $l24
                local.get $l32
                i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
                local.tee $l35
                local.get $l35
                i32x4.add
                local.get $l14
                i32x4.sub
                local.get $l33
                local.get $l34
                i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
                local.tee $l35
                local.get $l35
                i32x4.add
                local.get $l14
                i32x4.sub
                i32x4.max_s
                local.get $l15
                i32x4.gt_s
                i32x4.bitmask
                if $I19
                  local.get $l24
                  local.get $l16
                  v128.and
                  local.get $l17
                  i64x2.sub
                  local.tee $l35
                  local.get $l18
                  i64x2.sub
                  local.get $l35
                  v128.andnot
                  local.get $l32
                  local.get $l16
                  v128.and
                  local.get $l17
                  i64x2.sub
                  local.tee $l35
                  local.get $l18
                  i64x2.sub
                  local.get $l35
                  v128.andnot
                  v128.or
                  local.tee $l35
                  local.get $l33
                  local.get $l16
                  v128.and
                  local.tee $l36
                  local.get $l19
                  i64x2.sub
                  local.get $l20
                  local.get $l36
                  i64x2.sub
                  v128.or
                  local.tee $l36
                  v128.or
                  i64x2.bitmask
                  if $I20
                    local.get $l35
                    local.get $l36
                    local.get $l33
                    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                    f64x2.eq
                    local.get $l24
                    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                    f64x2.eq
                    local.get $l32
                    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                    f64x2.eq
                    v128.or
                    v128.and
                    v128.andnot
                    v128.or
                    i64x2.bitmask
                    br_if $B13
                  end
                  local.get $l34
                  local.get $l16
                  v128.and
                  local.tee $l24
                  local.get $l19
                  i64x2.sub
                  local.get $l20
                  local.get $l24
                  i64x2.sub
                  v128.or
                  local.tee $l24
                  i64x2.bitmask
                  if $I21
                    local.get $l24
                    local.get $l34
                    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                    f64x2.eq
                    v128.andnot
                    i64x2.bitmask
                    br_if $B13
                  end
                end
                br $B12
              end
              local.get $l25
              local.set $l12
              local.get $l31
              local.set $l13
              i64.const 21474902017
              local.set $l30
              br $B5
            end
            local.get $l7
            i64.const 16
            i64.add
            local.set $l7
            local.get $l2
            i32.const 6
            i32.sub
            local.set $l2
            local.get $l7
            local.set $l37
            local.get $l8
            local.set $l38
            local.get $l39
            local.tee $l23
            i32.const 1
            i32.add
            local.set $l39
            local.get $l7
            local.get $l38
            i64.ne
            local.tee $l40
            local.get $l23
            i32.const 3
            i32.and
            i32.eqz
            i32.and
            if $I22
              local.get $l2
              i32.const 7
              i32.sub
              i32.const 6
              i32.div_s
              local.set $l41
              local.get $l10
              local.get $l7
              i64.add
              local.tee $l29
              i32.wrap_i64
              local.get $l4
              local.get $l29
              i32.wrap_i64
              i32.const 8
              i32.shr_u
              i32.const 65520
              i32.and
              i32.add
              local.tee $l23
              i32.load offset=8 align=1
              i32.add
              local.set $l42
              i32.const 4080
              local.get $l29
              i32.wrap_i64
              i32.const 4095
              i32.and
              local.tee $l43
              i32.sub
              local.tee $l44
              i32.const 4
              i32.shr_u
              i32.const 1
              i32.add
              i32.const 0
              local.get $l23
              i64.load align=1
              local.get $l29
              i64.const -4096
              i64.and
              i64.eq
              local.get $l44
              i32.const 0
              i32.ge_s
              i32.and
              local.get $l43
              i32.const 15
              i32.and
              i32.eqz
              i32.and
              select
              local.tee $l43
              local.get $l41
              local.tee $l44
              local.get $l43
              local.get $l44
              i32.lt_s
              select
              local.set $l41
              local.get $l11
              local.get $l7
              i64.add
              local.tee $l29
              i32.wrap_i64
              local.get $l4
              local.get $l29
              i32.wrap_i64
              i32.const 8
              i32.shr_u
              i32.const 65520
              i32.and
              i32.add
              local.tee $l44
              i32.load offset=8 align=1
              i32.add
              local.set $l45
              i32.const 4080
              local.get $l29
              i32.wrap_i64
              i32.const 4095
              i32.and
              local.tee $l43
              i32.sub
              local.tee $l23
              i32.const 4
              i32.shr_u
              i32.const 1
              i32.add
              i32.const 0
              local.get $l44
              i64.load align=1
              local.get $l29
              i64.const -4096
              i64.and
              i64.eq
              local.get $l23
              i32.const 0
              i32.ge_s
              i32.and
              local.get $l43
              i32.const 15
              i32.and
              i32.eqz
              i32.and
              select
              local.tee $l43
              local.get $l41
              local.tee $l23
              local.get $l43
              local.get $l23
              i32.lt_s
              select
              local.tee $l41
              i32.const 1
              i32.gt_s
              if $I23
                local.get $l8
                local.get $l7
                i64.const 16
                i64.add
                i64.sub
                i64.const 4
                i64.shr_u
                local.tee $l29
                i32.wrap_i64
                i32.const 2147483647
                local.get $l29
                i64.const 2147483647
                i64.lt_u
                select
                local.tee $l23
                local.get $l41
                i32.const 1
                i32.sub
                local.tee $l43
                local.get $l23
                local.get $l43
                i32.lt_s
                select
                i32.const -2
                i32.and
                local.tee $l43
                if $I24
                  local.get $l43
                  local.set $l46
                  block $B25
                    local.get $l13
                    local.tee $l47
                    f64x2.abs
                    local.tee $l31
                    f64.const 0x1p-256 (;=8.63617e-78;)
                    f64x2.splat
                    f64x2.ge
                    local.get $l31
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
                    br_if $B25
                    loop $L26
                      block $B27
                        block $B28
                          block $B29
                            local.get $l42
                            v128.load align=1
                            local.tee $l48
                            local.get $l45
                            v128.load align=1
                            local.tee $l49
                            f64x2.mul
                            local.set $l50
                            br $B29
                          end
                          block $B30
                            local.get $l47
                            local.get $l50
                            f64x2.add
                            local.set $l51
                            br $B30
                          end
                          block $B31
                            local.get $l42
                            v128.load offset=16 align=1
                            local.tee $l52
                            local.get $l45
                            v128.load offset=16 align=1
                            local.tee $l53
                            f64x2.mul
                            local.set $l54
                            br $B31
                          end
                          local.get $l48
                          local.get $l49
                          i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
                          local.tee $l31
                          local.get $l31
                          i32x4.add
                          local.get $l21
                          i32x4.sub
                          local.get $l52
                          local.get $l53
                          i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
                          local.tee $l31
                          local.get $l31
                          i32x4.add
                          local.get $l21
                          i32x4.sub
                          i32x4.max_s
                          local.get $l22
                          i32x4.gt_s
                          i32x4.bitmask
                          if $I32
                            local.get $l48
                            f64x2.abs
                            local.tee $l31
                            f64.const 0x1p-256 (;=8.63617e-78;)
                            f64x2.splat
                            f64x2.ge
                            local.get $l31
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
                            br_if $B28
                            local.get $l49
                            f64x2.abs
                            local.tee $l31
                            f64.const 0x1p-256 (;=8.63617e-78;)
                            f64x2.splat
                            f64x2.ge
                            local.get $l31
                            f64.const 0x1p+256 (;=1.15792e+77;)
                            f64x2.splat
                            f64x2.lt
                            v128.and
                            local.get $l49
                            f64.const 0x0p+0 (;=0;)
                            f64x2.splat
                            f64x2.eq
                            v128.or
                            i32x4.all_true
                            i32.eqz
                            br_if $B28
                            local.get $l52
                            f64x2.abs
                            local.tee $l31
                            f64.const 0x1p-256 (;=8.63617e-78;)
                            f64x2.splat
                            f64x2.ge
                            local.get $l31
                            f64.const 0x1p+256 (;=1.15792e+77;)
                            f64x2.splat
                            f64x2.lt
                            v128.and
                            local.get $l52
                            f64.const 0x0p+0 (;=0;)
                            f64x2.splat
                            f64x2.eq
                            v128.or
                            i32x4.all_true
                            i32.eqz
                            br_if $B28
                            local.get $l53
                            f64x2.abs
                            local.tee $l31
                            f64.const 0x1p-256 (;=8.63617e-78;)
                            f64x2.splat
                            f64x2.ge
                            local.get $l31
                            f64.const 0x1p+256 (;=1.15792e+77;)
                            f64x2.splat
                            f64x2.lt
                            v128.and
                            local.get $l53
                            f64.const 0x0p+0 (;=0;)
                            f64x2.splat
                            f64x2.eq
                            v128.or
                            i32x4.all_true
                            i32.eqz
                            br_if $B28
                          end
                          br $B27
                        end
                        br $B25
                      end
                      block $B33
                        local.get $l51
                        local.get $l54
                        f64x2.add
                        local.set $l55
                        br $B33
                      end
                      block $B34
                        block $B35
                          local.get $l55
                          local.get $l55
                          i32x4.add
                          local.get $l21
                          i32x4.sub
                          local.get $l22
                          i32x4.gt_s
                          i64x2.bitmask
                          if $I36
                            local.get $l55
                            f64x2.abs
                            local.tee $l31
                            f64.const 0x1p-256 (;=8.63617e-78;)
                            f64x2.splat
                            f64x2.ge
                            local.get $l31
                            f64.const 0x1p+256 (;=1.15792e+77;)
                            f64x2.splat
                            f64x2.lt
                            v128.and
                            local.get $l55
                            f64.const 0x0p+0 (;=0;)
                            f64x2.splat
                            f64x2.eq
                            v128.or
                            i32x4.all_true
                            i32.eqz
                            br_if $B35
                          end
                          br $B34
                        end
                        br $B25
                      end
                      local.get $l55
                      local.set $l47
                      local.get $l42
                      i32.const 32
                      i32.add
                      local.set $l42
                      local.get $l45
                      i32.const 32
                      i32.add
                      local.set $l45
                      local.get $l46
                      i32.const 2
                      i32.sub
                      local.tee $l46
                      br_if $L26
                    end
                  end
                  local.get $l41
                  local.get $l43
                  local.get $l46
                  i32.sub
                  local.tee $l43
                  i32.sub
                  local.set $l41
                  local.get $l2
                  local.get $l43
                  i32.const 6
                  i32.mul
                  i32.sub
                  local.set $l2
                  local.get $l7
                  local.get $l43
                  i64.extend_i32_u
                  i64.const 16
                  i64.mul
                  i64.add
                  local.set $l7
                  local.get $l47
                  local.set $l13
                end
                block $B37
                  loop $L38
                    local.get $l37
                    local.set $l56
                    local.get $l38
                    local.set $l57
                    local.get $l42
                    v128.load align=1
                    local.tee $l31
                    local.tee $l12
                    local.set $l25
                    local.get $l13
                    local.set $l24
                    block $B39
                      block $B40
                        block $B41
                          local.get $l31
                          local.get $l45
                          v128.load align=1
                          local.tee $l58
                          f64x2.mul
                          local.tee $l59
                          local.set $l12
                          br $B41
                        end
                        block $B42
                          local.get $l13
                          local.get $l12
                          f64x2.add
                          local.tee $l60
                          local.set $l13
                          br $B42
                        end
                        local.get $l31
                        local.get $l58
                        i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
                        local.tee $l36
                        local.get $l36
                        i32x4.add
                        local.get $l14
                        i32x4.sub
                        local.get $l59
                        local.get $l60
                        i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
                        local.tee $l36
                        local.get $l36
                        i32x4.add
                        local.get $l14
                        i32x4.sub
                        i32x4.max_s
                        local.get $l15
                        i32x4.gt_s
                        i32x4.bitmask
                        if $I43
                          local.get $l31
                          local.get $l16
                          v128.and
                          local.get $l17
                          i64x2.sub
                          local.tee $l36
                          local.get $l18
                          i64x2.sub
                          local.get $l36
                          v128.andnot
                          local.get $l58
                          local.get $l16
                          v128.and
                          local.get $l17
                          i64x2.sub
                          local.tee $l36
                          local.get $l18
                          i64x2.sub
                          local.get $l36
                          v128.andnot
                          v128.or
                          local.tee $l36
                          local.get $l59
                          local.get $l16
                          v128.and
                          local.tee $l35
                          local.get $l19
                          i64x2.sub
                          local.get $l20
                          local.get $l35
                          i64x2.sub
                          v128.or
                          local.tee $l35
                          v128.or
                          i64x2.bitmask
                          if $I44
                            local.get $l36
                            local.get $l35
                            local.get $l59
                            v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                            f64x2.eq
                            local.get $l31
                            v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                            f64x2.eq
                            local.get $l58
                            v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                            f64x2.eq
                            v128.or
                            v128.and
                            v128.andnot
                            v128.or
                            i64x2.bitmask
                            br_if $B40
                          end
                          local.get $l60
                          local.get $l16
                          v128.and
                          local.tee $l31
                          local.get $l19
                          i64x2.sub
                          local.get $l20
                          local.get $l31
                          i64x2.sub
                          v128.or
                          local.tee $l31
                          i64x2.bitmask
                          if $I45
                            local.get $l31
                            local.get $l60
                            v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                            f64x2.eq
                            v128.andnot
                            i64x2.bitmask
                            br_if $B40
                          end
                        end
                        br $B39
                      end
                      local.get $l25
                      local.set $l12
                      local.get $l24
                      local.set $l13
                      i64.const 21474902017
                      local.set $l30
                      br $B7
                    end
                    local.get $l7
                    i64.const 16
                    i64.add
                    local.set $l7
                    local.get $l2
                    i32.const 6
                    i32.sub
                    local.set $l2
                    local.get $l42
                    i32.const 16
                    i32.add
                    local.set $l42
                    local.get $l45
                    i32.const 16
                    i32.add
                    local.set $l45
                    local.get $l41
                    i32.const 1
                    i32.sub
                    local.set $l41
                    local.get $l7
                    local.set $l37
                    local.get $l8
                    local.set $l38
                    local.get $l7
                    local.get $l38
                    i64.ne
                    i32.eqz
                    if $I46
                      i32.const 0
                      local.set $l40
                      br $B37
                    end
                    local.get $l41
                    i32.const 0
                    i32.gt_s
                    br_if $L38
                  end
                end
              end
            end
            local.get $l37
            local.set $l61
            local.get $l38
            local.set $l62
            local.get $l40
            if $I47
              local.get $l2
              i32.const 7
              i32.lt_s
              if $I48
                i64.const 131072
                local.set $l30
                br $B6
              end
              local.get $l61
              local.set $l26
              local.get $l62
              local.set $l27
              i32.const 7
              local.set $l28
              br $L8
            end
            local.get $l4
            local.get $l9
            local.tee $l29
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.tee $l43
            i64.load align=1
            local.get $l29
            i64.const 7
            i64.add
            i64.const -4096
            i64.and
            i64.ne
            if $I49
              local.get $p0
              local.get $l29
              i32.const 8
              call $env.enter_read
              i32.eqz
              if $I50
                i64.const 98784313344
                local.set $l30
                br $B6
              end
            end
            local.get $l29
            i32.wrap_i64
            local.get $l43
            i32.load offset=8 align=1
            i32.add
            i64.load align=1
            local.tee $l63
            i64.const 16
            i64.shl
            i64.const 16
            i64.shr_s
            local.get $l63
            i64.ne
            if $I51
              i64.const 98784313344
              local.set $l30
              br $B6
            end
            local.get $l29
            i64.const 8
            i64.add
            local.set $l9
            i32.const 23
            local.set $l64
            local.get $l63
            local.get $l3
            i64.sub
            local.set $l65
            local.get $l63
            local.set $l3
            i64.const 1
            local.set $l30
            br $B6
          end
        end
        local.get $l56
        local.set $l26
        local.get $l57
        local.set $l27
        i32.const 7
        local.set $l28
        br $B5
      end
      local.get $l61
      local.set $l26
      local.get $l62
      local.set $l27
      i32.const 7
      local.set $l28
      br $B5
    end
    local.get $l28
    i32.eqz
    if $I52
      local.get $l26
      local.set $l5
      local.get $l27
      i32.wrap_i64
      local.set $l6
    else
      local.get $l26
      local.tee $l8
      local.get $l27
      local.tee $l11
      i64.sub
      local.set $l5
      local.get $l8
      i64.const -1
      i64.xor
      local.tee $l8
      local.get $l11
      i64.and
      local.get $l8
      local.get $l11
      i64.or
      local.get $l5
      i64.and
      i64.or
      local.tee $l11
      i64.const 32
      i64.shr_u
      i32.wrap_i64
      i32.const -1073741824
      i32.and
      local.get $l11
      i32.wrap_i64
      i32.const 8
      i32.and
      i32.or
      local.set $l6
    end
    local.get $l3
    local.get $l30
    i64.const 32
    i64.shr_s
    i64.add
    local.set $l11
    local.get $p0
    local.get $l2
    local.get $l30
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
    local.get $l9
    i64.store offset=32 align=1
    local.get $p0
    local.get $l12
    v128.store offset=240 align=1
    local.get $p0
    local.get $l13
    v128.store offset=256 align=1
    local.get $l30
    i32.wrap_i64
    local.tee $l43
    i32.const 16
    i32.shr_u
    i32.const 3
    i32.and
    local.tee $l23
    i32.const 2
    i32.ge_u
    if $I53
      local.get $p1
      i32.load offset=32 align=1
      local.get $l43
      i32.const 18
      i32.shr_u
      i32.const 8
      i32.mul
      i32.add
      local.tee $l43
      i32.load align=1
      local.tee $l44
      if $I54
        local.get $l23
        i32.const 2
        i32.eq
        if $I55
          local.get $p0
          local.get $l44
          local.get $l44
          i32.load align=1
          return_call_indirect (type $t3)
        end
        local.get $l4
        local.get $l11
        i64.const -4096
        i64.and
        local.tee $l8
        i32.wrap_i64
        i32.const 8
        i32.shr_u
        i32.const 65520
        i32.and
        i32.add
        local.tee $l4
        i64.load offset=131072 align=1
        local.get $l8
        i64.eq
        local.get $l8
        i32.wrap_i64
        local.get $l4
        i32.load offset=131080 align=1
        i32.add
        local.get $l43
        i32.load offset=4 align=1
        i32.eq
        i32.and
        if $I56
          local.get $p0
          local.get $l8
          i64.store offset=144 align=1
          local.get $p0
          local.get $l44
          local.get $l44
          i32.load align=1
          return_call_indirect (type $t3)
        end
      end
      local.get $p0
      local.get $l11
      local.get $l43
      return_call $env.goto_link
    end
    local.get $l23
    if $I57
      local.get $p0
      local.get $l11
      return_call $env.goto_interpreter
    end
    local.get $p0
    local.get $l11
    local.get $l64
    local.get $l65
    return_call $env.goto_from
    unreachable)
  (export "r0" (func $r0)))
