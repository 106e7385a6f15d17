;; 941 nodes, 52 locals, 2451 bytes
;;
;; 000  movapd xmm0, xmmword ptr [rsi+rax]
;; 005  mulpd xmm0, xmmword ptr [rdi+rax]
;; 00a  addpd xmm1, xmm0
;; 00e  add rax, 0x10
;; 012  cmp rax, rcx
;; 015  jne 0x0
;; 017  ret

(module
  (type $t0 (func (param i32 i64) (result i32)))
  (type $t1 (func (param i32 i64 i32) (result i32)))
  (type $t2 (func (param i32 i32) (result i32)))
  (import "env" "memory" (memory $env.memory 1536 65536 shared))
  (import "env" "handlers" (table $env.handlers 1 funcref))
  (import "env" "goto" (func $env.goto (type $t0)))
  (import "env" "goto_interpreter" (func $env.goto_interpreter (type $t0)))
  (import "env" "goto_link" (func $env.goto_link (type $t1)))
  (func $r0 (type $t2) (param $p0 i32) (param $p1 i32) (result i32)
    (local $l2 i32) (local $l3 i64) (local $l4 i32) (local $l5 i64) (local $l6 i32) (local $l7 i64) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i64) (local $l12 v128) (local $l13 v128) (local $l14 v128) (local $l15 v128) (local $l16 v128) (local $l17 v128) (local $l18 v128) (local $l19 i32) (local $l20 i64) (local $l21 i64) (local $l22 i32) (local $l23 i64) (local $l24 i64) (local $l25 v128) (local $l26 v128) (local $l27 v128) (local $l28 v128) (local $l29 v128) (local $l30 i32) (local $l31 i32) (local $l32 i64) (local $l33 i64) (local $l34 i32) (local $l35 i32) (local $l36 i64) (local $l37 i64) (local $l38 i32) (local $l39 i32) (local $l40 i32) (local $l41 i32) (local $l42 i32) (local $l43 i32) (local $l44 i64) (local $l45 i64) (local $l46 i32) (local $l47 i32) (local $l48 i64) (local $l49 i64) (local $l50 i32) (local $l51 i64) (local $l52 i64) (local $l53 i64)
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
    v128.const i32x4 0xffffffff 0x7fffffff 0xffffffff 0x7fffffff
    local.set $l14
    v128.const i32x4 0x00000001 0x00000000 0x00000001 0x00000000
    local.set $l15
    v128.const i32x4 0xffffffff 0x000fffff 0xffffffff 0x000fffff
    local.set $l16
    v128.const i32x4 0x00000001 0x00100000 0x00000001 0x00100000
    local.set $l17
    v128.const i32x4 0xffffffff 0x7fefffff 0xffffffff 0x7fefffff
    local.set $l18
    local.get $l2
    i32.const 7
    i32.lt_s
    if $I0
      local.get $p1
      i32.const 48
      i32.add
      local.set $l19
      local.get $p0
      local.get $l19
      local.get $l19
      i32.load align=1
      return_call_indirect (type $t2)
    end
    local.get $p0
    i32.load offset=1112 align=1
    i32.const 4
    i32.and
    if $I1
      local.get $p1
      i32.const 48
      i32.add
      local.set $l19
      local.get $p0
      local.get $l19
      local.get $l19
      i32.load align=1
      return_call_indirect (type $t2)
    end
    local.get $p0
    i32.load offset=232 align=1
    i32.const 32672
    i32.and
    i32.const 8096
    i32.ne
    if $I2
      local.get $p1
      i32.const 48
      i32.add
      local.set $l19
      local.get $p0
      local.get $l19
      local.get $l19
      i32.load align=1
      return_call_indirect (type $t2)
    end
    block $B3
      block $B4
        block $B5
          block $B6
            local.get $l5
            local.set $l20
            local.get $l6
            i64.extend_i32_u
            local.set $l21
            i32.const 0
            local.set $l22
            loop $L7
              block $B8
                local.get $l10
                local.get $l7
                i64.add
                local.set $l23
                local.get $l23
                i32.wrap_i64
                i32.const 15
                i32.and
                if $I9
                  i64.const 65536
                  local.set $l24
                  br $B4
                end
                local.get $l4
                local.get $l23
                i32.wrap_i64
                i32.const 8
                i32.shr_u
                i32.const 65520
                i32.and
                i32.add
                local.set $l19
                local.get $l19
                i64.load align=1
                local.get $l23
                i64.const 15
                i64.add
                i64.const -4096
                i64.and
                i64.eq
                i32.eqz
                if $I10
                  i64.const 65536
                  local.set $l24
                  br $B4
                end
                local.get $l23
                i32.wrap_i64
                local.get $l19
                i32.load offset=8 align=1
                i32.add
                v128.load align=1
                local.set $l12
              end
              block $B11
                local.get $l11
                local.get $l7
                i64.add
                local.set $l23
                local.get $l23
                i32.wrap_i64
                i32.const 15
                i32.and
                if $I12
                  i64.const 21474902017
                  local.set $l24
                  br $B4
                end
                local.get $l4
                local.get $l23
                i32.wrap_i64
                i32.const 8
                i32.shr_u
                i32.const 65520
                i32.and
                i32.add
                local.set $l19
                local.get $l19
                i64.load align=1
                local.get $l23
                i64.const 15
                i64.add
                i64.const -4096
                i64.and
                i64.eq
                i32.eqz
                if $I13
                  i64.const 21474902017
                  local.set $l24
                  br $B4
                end
                local.get $l23
                i32.wrap_i64
                local.get $l19
                i32.load offset=8 align=1
                i32.add
                v128.load align=1
                local.set $l25
                local.get $l12
                local.set $l26
                local.get $l26
                local.get $l25
                f64x2.mul
                local.set $l27
                block $B14
                  local.get $l26
                  local.get $l14
                  v128.and
                  local.get $l15
                  i64x2.sub
                  local.set $l28
                  local.get $l25
                  local.get $l14
                  v128.and
                  local.get $l15
                  i64x2.sub
                  local.set $l29
                  local.get $l28
                  local.get $l16
                  i64x2.sub
                  local.get $l28
                  v128.andnot
                  local.get $l29
                  local.get $l16
                  i64x2.sub
                  local.get $l29
                  v128.andnot
                  v128.or
                  local.set $l29
                  local.get $l27
                  local.get $l14
                  v128.and
                  local.set $l28
                  local.get $l28
                  local.get $l17
                  i64x2.sub
                  local.get $l18
                  local.get $l28
                  i64x2.sub
                  v128.or
                  local.set $l28
                  local.get $l29
                  local.get $l28
                  v128.or
                  i64x2.bitmask
                  if $I15
                    local.get $l29
                    local.get $l28
                    local.get $l27
                    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                    f64x2.eq
                    local.get $l26
                    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                    f64x2.eq
                    local.get $l25
                    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                    f64x2.eq
                    v128.or
                    v128.and
                    v128.andnot
                    v128.or
                    i64x2.bitmask
                    br_if $B14
                  end
                  local.get $l27
                  local.set $l12
                  br $B11
                end
                i64.const 21474902017
                local.set $l24
                br $B4
                local.get $l30
                if $I16
                  local.get $p0
                  i64.load offset=880 align=1
                  i64.const 1024
                  i64.and
                  i64.eqz
                  if $I17
                  end
                end
                v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                local.set $l12
              end
              block $B18
                local.get $l12
                local.set $l27
                local.get $l13
                local.set $l25
                local.get $l25
                local.get $l27
                f64x2.add
                local.set $l26
                block $B19
                  local.get $l25
                  local.get $l14
                  v128.and
                  local.get $l15
                  i64x2.sub
                  local.set $l25
                  local.get $l27
                  local.get $l14
                  v128.and
                  local.get $l15
                  i64x2.sub
                  local.set $l27
                  local.get $l25
                  local.get $l16
                  i64x2.sub
                  local.get $l25
                  v128.andnot
                  local.get $l27
                  local.get $l16
                  i64x2.sub
                  local.get $l27
                  v128.andnot
                  v128.or
                  local.set $l27
                  local.get $l26
                  local.get $l14
                  v128.and
                  local.set $l25
                  local.get $l25
                  local.get $l17
                  i64x2.sub
                  local.get $l18
                  local.get $l25
                  i64x2.sub
                  v128.or
                  local.set $l25
                  local.get $l27
                  local.get $l25
                  v128.or
                  i64x2.bitmask
                  if $I20
                    local.get $l27
                    local.get $l25
                    local.get $l26
                    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                    f64x2.eq
                    v128.andnot
                    v128.or
                    i64x2.bitmask
                    br_if $B19
                  end
                  local.get $l26
                  local.set $l13
                  br $B18
                end
                i64.const 42949738498
                local.set $l24
                br $B4
                local.get $l31
                if $I21
                  local.get $p0
                  i64.load offset=880 align=1
                  i64.const 1024
                  i64.and
                  i64.eqz
                  if $I22
                  end
                end
                v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                local.set $l13
              end
              block $B23
                local.get $l7
                i64.const 16
                i64.add
                local.set $l7
              end
              block $B24
                local.get $l7
                local.set $l32
                local.get $l8
                local.set $l33
              end
              block $B25
                local.get $l32
                local.get $l33
                i64.ne
                local.set $l34
              end
              local.get $l2
              i32.const 6
              i32.sub
              local.set $l2
              local.get $l34
              local.set $l35
              local.get $l32
              local.set $l36
              local.get $l33
              local.set $l37
              local.get $l38
              local.set $l19
              local.get $l19
              i32.const 1
              i32.add
              local.set $l38
              local.get $l35
              local.get $l19
              i32.const 3
              i32.and
              i32.eqz
              i32.and
              if $I26
                local.get $l2
                i32.const 7
                i32.sub
                i32.const 6
                i32.div_s
                local.set $l39
                local.get $l10
                local.get $l7
                i64.add
                local.set $l23
                local.get $l4
                local.get $l23
                i32.wrap_i64
                i32.const 8
                i32.shr_u
                i32.const 65520
                i32.and
                i32.add
                local.set $l19
                local.get $l23
                i32.wrap_i64
                local.get $l19
                i32.load offset=8 align=1
                i32.add
                local.set $l40
                local.get $l23
                i32.wrap_i64
                i32.const 4095
                i32.and
                local.set $l41
                i32.const 4080
                local.get $l41
                i32.sub
                local.set $l42
                local.get $l42
                i32.const 4
                i32.shr_u
                i32.const 1
                i32.add
                i32.const 0
                local.get $l19
                i64.load align=1
                local.get $l23
                i64.const -4096
                i64.and
                i64.eq
                local.get $l42
                i32.const 0
                i32.ge_s
                i32.and
                local.get $l41
                i32.const 15
                i32.and
                i32.eqz
                i32.and
                select
                local.set $l41
                local.get $l39
                local.set $l42
                local.get $l41
                local.get $l42
                local.get $l41
                local.get $l42
                i32.lt_s
                select
                local.set $l39
                local.get $l11
                local.get $l7
                i64.add
                local.set $l23
                local.get $l4
                local.get $l23
                i32.wrap_i64
                i32.const 8
                i32.shr_u
                i32.const 65520
                i32.and
                i32.add
                local.set $l42
                local.get $l23
                i32.wrap_i64
                local.get $l42
                i32.load offset=8 align=1
                i32.add
                local.set $l43
                local.get $l23
                i32.wrap_i64
                i32.const 4095
                i32.and
                local.set $l41
                i32.const 4080
                local.get $l41
                i32.sub
                local.set $l19
                local.get $l19
                i32.const 4
                i32.shr_u
                i32.const 1
                i32.add
                i32.const 0
                local.get $l42
                i64.load align=1
                local.get $l23
                i64.const -4096
                i64.and
                i64.eq
                local.get $l19
                i32.const 0
                i32.ge_s
                i32.and
                local.get $l41
                i32.const 15
                i32.and
                i32.eqz
                i32.and
                select
                local.set $l41
                local.get $l39
                local.set $l19
                local.get $l41
                local.get $l19
                local.get $l41
                local.get $l19
                i32.lt_s
                select
                local.set $l39
                local.get $l39
                i32.const 1
                i32.gt_s
                if $I27
                  block $B28
                    loop $L29
                      local.get $l36
                      local.set $l44
                      local.get $l37
                      local.set $l45
                      block $B30
                        local.get $l40
                        v128.load align=1
                        local.set $l12
                      end
                      block $B31
                        local.get $l43
                        v128.load align=1
                        local.set $l26
                        local.get $l12
                        local.set $l25
                        local.get $l25
                        local.get $l26
                        f64x2.mul
                        local.set $l27
                        block $B32
                          local.get $l25
                          local.get $l14
                          v128.and
                          local.get $l15
                          i64x2.sub
                          local.set $l28
                          local.get $l26
                          local.get $l14
                          v128.and
                          local.get $l15
                          i64x2.sub
                          local.set $l29
                          local.get $l28
                          local.get $l16
                          i64x2.sub
                          local.get $l28
                          v128.andnot
                          local.get $l29
                          local.get $l16
                          i64x2.sub
                          local.get $l29
                          v128.andnot
                          v128.or
                          local.set $l29
                          local.get $l27
                          local.get $l14
                          v128.and
                          local.set $l28
                          local.get $l28
                          local.get $l17
                          i64x2.sub
                          local.get $l18
                          local.get $l28
                          i64x2.sub
                          v128.or
                          local.set $l28
                          local.get $l29
                          local.get $l28
                          v128.or
                          i64x2.bitmask
                          if $I33
                            local.get $l29
                            local.get $l28
                            local.get $l27
                            v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                            f64x2.eq
                            local.get $l25
                            v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                            f64x2.eq
                            local.get $l26
                            v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                            f64x2.eq
                            v128.or
                            v128.and
                            v128.andnot
                            v128.or
                            i64x2.bitmask
                            br_if $B32
                          end
                          local.get $l27
                          local.set $l12
                          br $B31
                        end
                        i64.const 21474902017
                        local.set $l24
                        br $B6
                        local.get $l46
                        if $I34
                          local.get $p0
                          i64.load offset=880 align=1
                          i64.const 1024
                          i64.and
                          i64.eqz
                          if $I35
                          end
                        end
                        v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                        local.set $l12
                      end
                      block $B36
                        local.get $l12
                        local.set $l27
                        local.get $l13
                        local.set $l26
                        local.get $l26
                        local.get $l27
                        f64x2.add
                        local.set $l25
                        block $B37
                          local.get $l26
                          local.get $l14
                          v128.and
                          local.get $l15
                          i64x2.sub
                          local.set $l26
                          local.get $l27
                          local.get $l14
                          v128.and
                          local.get $l15
                          i64x2.sub
                          local.set $l27
                          local.get $l26
                          local.get $l16
                          i64x2.sub
                          local.get $l26
                          v128.andnot
                          local.get $l27
                          local.get $l16
                          i64x2.sub
                          local.get $l27
                          v128.andnot
                          v128.or
                          local.set $l27
                          local.get $l25
                          local.get $l14
                          v128.and
                          local.set $l26
                          local.get $l26
                          local.get $l17
                          i64x2.sub
                          local.get $l18
                          local.get $l26
                          i64x2.sub
                          v128.or
                          local.set $l26
                          local.get $l27
                          local.get $l26
                          v128.or
                          i64x2.bitmask
                          if $I38
                            local.get $l27
                            local.get $l26
                            local.get $l25
                            v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                            f64x2.eq
                            v128.andnot
                            v128.or
                            i64x2.bitmask
                            br_if $B37
                          end
                          local.get $l25
                          local.set $l13
                          br $B36
                        end
                        i64.const 42949738498
                        local.set $l24
                        br $B6
                        local.get $l47
                        if $I39
                          local.get $p0
                          i64.load offset=880 align=1
                          i64.const 1024
                          i64.and
                          i64.eqz
                          if $I40
                          end
                        end
                        v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                        local.set $l13
                      end
                      block $B41
                        local.get $l7
                        i64.const 16
                        i64.add
                        local.set $l7
                      end
                      block $B42
                        local.get $l7
                        local.set $l48
                        local.get $l8
                        local.set $l49
                      end
                      block $B43
                        local.get $l48
                        local.get $l49
                        i64.ne
                        local.set $l50
                      end
                      local.get $l2
                      i32.const 6
                      i32.sub
                      local.set $l2
                      local.get $l40
                      i32.const 16
                      i32.add
                      local.set $l40
                      local.get $l43
                      i32.const 16
                      i32.add
                      local.set $l43
                      local.get $l39
                      i32.const 1
                      i32.sub
                      local.set $l39
                      local.get $l48
                      local.set $l36
                      local.get $l49
                      local.set $l37
                      local.get $l50
                      i32.eqz
                      if $I44
                        i32.const 0
                        local.set $l35
                        br $B28
                      end
                      local.get $l39
                      i32.const 0
                      i32.gt_s
                      if $I45
                        br $L29
                      end
                    end
                  end
                end
              end
              local.get $l36
              local.set $l51
              local.get $l37
              local.set $l52
              local.get $l35
              if $I46
                local.get $l2
                i32.const 7
                i32.lt_s
                if $I47
                  i64.const 131072
                  local.set $l24
                  br $B5
                end
                local.get $l51
                local.set $l20
                local.get $l52
                local.set $l21
                i32.const 7
                local.set $l22
                br $L7
              else
                block $B48
                  local.get $l9
                  local.set $l23
                  local.get $l4
                  local.get $l23
                  i32.wrap_i64
                  i32.const 8
                  i32.shr_u
                  i32.const 65520
                  i32.and
                  i32.add
                  local.set $l19
                  local.get $l19
                  i64.load align=1
                  local.get $l23
                  i64.const 7
                  i64.add
                  i64.const -4096
                  i64.and
                  i64.eq
                  i32.eqz
                  if $I49
                    i64.const 98784313344
                    local.set $l24
                    br $B5
                  end
                  local.get $l23
                  i32.wrap_i64
                  local.get $l19
                  i32.load offset=8 align=1
                  i32.add
                  i64.load align=1
                  local.set $l53
                  local.get $l53
                  i64.const 16
                  i64.shl
                  i64.const 16
                  i64.shr_s
                  local.get $l53
                  i64.ne
                  if $I50
                    i64.const 98784313344
                    local.set $l24
                    br $B5
                  end
                  local.get $l9
                  i64.const 8
                  i64.add
                  local.set $l9
                end
                local.get $l2
                i32.const 1
                i32.sub
                local.set $l2
                local.get $l53
                local.set $l3
                i64.const 0
                local.set $l24
                br $B5
              end
            end
          end
          local.get $l44
          local.set $l20
          local.get $l45
          local.set $l21
          i32.const 7
          local.set $l22
          br $B4
        end
        local.get $l51
        local.set $l20
        local.get $l52
        local.set $l21
        i32.const 7
        local.set $l22
        br $B4
      end
      local.get $l22
      i32.const 0
      i32.eq
      if $I51
        local.get $l20
        local.set $l5
        local.get $l21
        i32.wrap_i64
        local.set $l6
      else
        local.get $l20
        local.set $l8
        local.get $l21
        local.set $l11
        local.get $l8
        local.get $l11
        i64.sub
        local.set $l10
        local.get $l8
        i64.const -1
        i64.xor
        local.set $l8
        local.get $l8
        local.get $l11
        i64.and
        local.get $l8
        local.get $l11
        i64.or
        local.get $l10
        i64.and
        i64.or
        local.set $l11
        local.get $l10
        local.set $l5
        local.get $l11
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
    end
    local.get $l2
    local.get $l24
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.set $l2
    local.get $l3
    local.get $l24
    i64.const 32
    i64.shr_s
    i64.add
    local.set $l11
    local.get $p0
    local.get $l2
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
    local.get $l24
    i32.wrap_i64
    local.set $l4
    local.get $l4
    i32.const 16
    i32.shr_u
    i32.const 3
    i32.and
    local.set $l19
    local.get $l19
    i32.const 2
    i32.eq
    if $I52
      local.get $p1
      i32.load offset=32 align=1
      local.get $l4
      i32.const 18
      i32.shr_u
      i32.const 2
      i32.shl
      i32.add
      local.set $l4
      local.get $l4
      i32.load align=1
      local.set $l41
      local.get $l41
      if $I53
        local.get $p0
        local.get $l41
        local.get $l41
        i32.load align=1
        return_call_indirect (type $t2)
      end
      local.get $p0
      local.get $l11
      local.get $l4
      return_call $env.goto_link
    end
    local.get $l19
    if $I54
      local.get $p0
      local.get $l11
      return_call $env.goto_interpreter
    end
    local.get $p0
    local.get $l11
    return_call $env.goto
    unreachable)
  (export "r0" (func $r0)))
