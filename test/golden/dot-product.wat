;; 443 nodes, 46 locals, 1161 bytes
;;
;; 000  movapd xmm0, xmmword ptr [rsi+rax]
;; 005  mulpd xmm0, xmmword ptr [rdi+rax]
;; 00a  addpd xmm1, xmm0
;; 00e  add rax, 0x10
;; 012  cmp rax, rcx
;; 015  jne 0x0
;; 017  ret

(module
  (type $t0 (func (param i32) (result i32)))
  (import "env" "memory" (memory $env.memory 1536 65536 shared))
  (func $region (type $t0) (param $p0 i32) (result i32)
    (local $l1 i64) (local $l2 i64) (local $l3 i64) (local $l4 i64) (local $l5 i64) (local $l6 i64) (local $l7 i64) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i64) (local $l12 i64) (local $l13 i64) (local $l14 i64) (local $l15 i64) (local $l16 i64) (local $l17 i64) (local $l18 i64) (local $l19 i64) (local $l20 v128) (local $l21 v128) (local $l22 v128) (local $l23 v128) (local $l24 v128) (local $l25 v128) (local $l26 v128) (local $l27 v128) (local $l28 v128) (local $l29 v128) (local $l30 v128) (local $l31 v128) (local $l32 v128) (local $l33 v128) (local $l34 v128) (local $l35 v128) (local $l36 v128) (local $l37 v128) (local $l38 v128) (local $l39 v128) (local $l40 i32) (local $l41 i32) (local $l42 i32) (local $l43 i32) (local $l44 i32) (local $l45 i32) (local $l46 i32)
    local.get $p0
    i32.load offset=168 align=1
    local.set $l40
    local.get $p0
    i64.load offset=144 align=1
    local.set $l6
    local.get $p0
    i32.load offset=180 align=1
    local.set $l42
    local.get $p0
    i64.load offset=152 align=1
    local.set $l7
    local.get $p0
    i32.load offset=160 align=1
    local.set $l41
    local.get $p0
    i64.load align=1
    local.set $l3
    local.get $p0
    i64.load offset=8 align=1
    local.set $l13
    local.get $p0
    i64.load offset=32 align=1
    local.set $l4
    local.get $p0
    i64.load offset=48 align=1
    local.set $l14
    local.get $p0
    i64.load offset=56 align=1
    local.set $l15
    local.get $p0
    v128.load offset=240 align=1
    local.set $l20
    local.get $p0
    v128.load offset=256 align=1
    local.set $l22
    v128.const i32x4 0xffffffff 0x7fffffff 0xffffffff 0x7fffffff
    local.set $l21
    v128.const i32x4 0x00000001 0x00000000 0x00000001 0x00000000
    local.set $l23
    v128.const i32x4 0xffffffff 0x000fffff 0xffffffff 0x000fffff
    local.set $l24
    v128.const i32x4 0x00000001 0x00100000 0x00000001 0x00100000
    local.set $l26
    v128.const i32x4 0xffffffff 0x7fefffff 0xffffffff 0x7fefffff
    local.set $l27
    local.get $p0
    i32.load offset=1112 align=1
    i32.const 4
    i32.and
    if $I0
      local.get $p0
      local.get $l6
      i64.store offset=136 align=1
      i32.const 1
      return
    end
    local.get $p0
    i32.load offset=232 align=1
    i32.const 32672
    i32.and
    i32.const 8096
    i32.ne
    if $I1
      local.get $p0
      local.get $l6
      i64.store offset=136 align=1
      i32.const 1
      return
    end
    block $B2
      block $B3
        local.get $l7
        local.set $l5
        local.get $l41
        i64.extend_i32_u
        local.set $l2
        i32.const 0
        local.set $l43
        loop $L4
          local.get $l14
          local.get $l3
          i64.add
          local.tee $l8
          i32.wrap_i64
          i32.const 15
          i32.and
          if $I5
            i64.const 65536
            local.set $l1
            br $B2
          end
          local.get $l42
          local.get $l8
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l44
          i64.load align=1
          local.get $l8
          i64.const 15
          i64.add
          i64.const -4096
          i64.and
          i64.eq
          i32.eqz
          if $I6
            i64.const 65536
            local.set $l1
            br $B2
          end
          local.get $l8
          i32.wrap_i64
          local.get $l44
          i32.load offset=8 align=1
          i32.add
          v128.load align=1
          local.set $l20
          block $B7
            local.get $l15
            local.get $l3
            i64.add
            local.tee $l9
            i32.wrap_i64
            i32.const 15
            i32.and
            if $I8
              i64.const 83951617
              local.set $l1
              br $B2
            end
            local.get $l42
            local.get $l9
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.tee $l45
            i64.load align=1
            local.get $l9
            i64.const 15
            i64.add
            i64.const -4096
            i64.and
            i64.eq
            i32.eqz
            if $I9
              i64.const 83951617
              local.set $l1
              br $B2
            end
            local.get $l20
            local.get $l9
            i32.wrap_i64
            local.get $l45
            i32.load offset=8 align=1
            i32.add
            v128.load align=1
            local.tee $l28
            f64x2.mul
            local.set $l25
            block $B10
              local.get $l20
              local.get $l21
              v128.and
              local.get $l23
              i64x2.sub
              local.tee $l30
              local.get $l24
              i64x2.sub
              local.get $l30
              v128.andnot
              local.get $l28
              local.get $l21
              v128.and
              local.get $l23
              i64x2.sub
              local.tee $l31
              local.get $l24
              i64x2.sub
              local.get $l31
              v128.andnot
              v128.or
              local.tee $l32
              local.get $l25
              local.get $l21
              v128.and
              local.tee $l33
              local.get $l26
              i64x2.sub
              local.get $l27
              local.get $l33
              i64x2.sub
              v128.or
              local.tee $l34
              v128.or
              i64x2.bitmask
              if $I11
                local.get $l32
                local.get $l34
                local.get $l25
                v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                f64x2.eq
                local.get $l20
                v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                f64x2.eq
                local.get $l28
                v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                f64x2.eq
                v128.or
                v128.and
                v128.andnot
                v128.or
                i64x2.bitmask
                br_if $B10
              end
              local.get $l25
              local.set $l20
              br $B7
            end
            i64.const 83951617
            local.set $l1
            br $B2
          end
          block $B12
            block $B13
              local.get $l22
              local.get $l21
              v128.and
              local.get $l23
              i64x2.sub
              local.tee $l35
              local.get $l24
              i64x2.sub
              local.get $l35
              v128.andnot
              local.get $l20
              local.get $l21
              v128.and
              local.get $l23
              i64x2.sub
              local.tee $l36
              local.get $l24
              i64x2.sub
              local.get $l36
              v128.andnot
              v128.or
              local.tee $l37
              local.get $l22
              local.get $l20
              f64x2.add
              local.tee $l29
              local.get $l21
              v128.and
              local.tee $l38
              local.get $l26
              i64x2.sub
              local.get $l27
              local.get $l38
              i64x2.sub
              v128.or
              local.tee $l39
              v128.or
              i64x2.bitmask
              if $I14
                local.get $l37
                local.get $l39
                local.get $l29
                v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                f64x2.eq
                v128.andnot
                v128.or
                i64x2.bitmask
                br_if $B13
              end
              local.get $l29
              local.set $l22
              br $B12
            end
            i64.const 167837698
            local.set $l1
            br $B2
          end
          local.get $l40
          i32.const 6
          i32.sub
          local.set $l40
          local.get $l3
          i64.const 16
          i64.add
          local.tee $l3
          local.tee $l10
          local.get $l13
          local.tee $l11
          i64.ne
          if $I15
            local.get $l40
            i32.const 7
            i32.lt_s
            if $I16
              i64.const 0
              local.set $l1
              br $B3
            end
            local.get $l10
            local.set $l5
            local.get $l11
            local.set $l2
            i32.const 7
            local.set $l43
            br $L4
          else
            local.get $l42
            local.get $l4
            local.tee $l16
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.tee $l46
            i64.load align=1
            local.get $l4
            i64.const 7
            i64.add
            i64.const -4096
            i64.and
            i64.eq
            i32.eqz
            if $I17
              i64.const 385941504
              local.set $l1
              br $B3
            end
            local.get $l16
            i32.wrap_i64
            local.get $l46
            i32.load offset=8 align=1
            i32.add
            i64.load align=1
            local.tee $l12
            i64.const 16
            i64.shl
            i64.const 16
            i64.shr_s
            local.get $l12
            i64.ne
            if $I18
              i64.const 385941504
              local.set $l1
              br $B3
            end
            local.get $l4
            i64.const 8
            i64.add
            local.set $l4
            local.get $l40
            i32.const 1
            i32.sub
            local.set $l40
            local.get $l12
            local.set $l6
            i64.const 0
            local.set $l1
            br $B3
          end
          unreachable
        end
        unreachable
      end
      local.get $l10
      local.set $l5
      local.get $l11
      local.set $l2
      i32.const 7
      local.set $l43
      br $B2
    end
    local.get $l43
    i32.const 0
    i32.eq
    if $I19
      local.get $l5
      local.set $l7
      local.get $l2
      i32.wrap_i64
      local.set $l41
    else
      local.get $l5
      local.get $l2
      i64.sub
      local.tee $l17
      local.set $l7
      local.get $l5
      i64.const -1
      i64.xor
      local.tee $l18
      local.get $l2
      i64.and
      local.get $l18
      local.get $l2
      i64.or
      local.get $l17
      i64.and
      i64.or
      local.tee $l19
      i64.const 32
      i64.shr_u
      i32.wrap_i64
      i32.const -1073741824
      i32.and
      local.get $l19
      i32.wrap_i64
      i32.const 8
      i32.and
      i32.or
      local.set $l41
    end
    local.get $p0
    local.get $l6
    local.get $l1
    i64.const 24
    i64.shr_s
    i64.add
    i64.store offset=136 align=1
    local.get $p0
    local.get $l40
    local.get $l1
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.tee $l40
    i32.store offset=168 align=1
    local.get $p0
    local.get $l7
    i64.store offset=152 align=1
    local.get $p0
    local.get $l41
    i32.store offset=160 align=1
    local.get $p0
    local.get $l3
    i64.store align=1
    local.get $p0
    local.get $l4
    i64.store offset=32 align=1
    local.get $p0
    local.get $l20
    v128.store offset=240 align=1
    local.get $p0
    local.get $l22
    v128.store offset=256 align=1
    local.get $l1
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 255
    i32.and
    return)
  (export "region" (func $region)))
