;; 414 nodes, 19 locals, 1318 bytes
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
    (local $l1 i64) (local $l2 i64) (local $l3 i64) (local $l4 i64) (local $l5 i64) (local $l6 i64) (local $l7 i64) (local $l8 i64) (local $l9 i64) (local $l10 v128) (local $l11 v128) (local $l12 v128) (local $l13 v128) (local $l14 v128) (local $l15 v128) (local $l16 i32) (local $l17 i32) (local $l18 i32) (local $l19 i32)
    local.get $p0
    i32.load offset=168 align=1
    local.set $l17
    local.get $p0
    i64.load offset=144 align=1
    local.set $l7
    local.get $p0
    i32.load offset=180 align=1
    local.set $l18
    local.get $p0
    i64.load offset=152 align=1
    local.set $l1
    local.get $p0
    i32.load offset=160 align=1
    local.set $l16
    local.get $p0
    i64.load align=1
    local.set $l5
    local.get $p0
    i64.load offset=8 align=1
    local.set $l2
    local.get $p0
    i64.load offset=32 align=1
    local.set $l4
    local.get $p0
    i64.load offset=48 align=1
    local.set $l8
    local.get $p0
    i64.load offset=56 align=1
    local.set $l9
    local.get $p0
    v128.load offset=240 align=1
    local.set $l12
    local.get $p0
    v128.load offset=256 align=1
    local.set $l13
    local.get $p0
    i32.load offset=1112 align=1
    i32.const 4
    i32.and
    if $I0
      local.get $p0
      local.get $l7
      i64.store offset=136 align=1
      i32.const 1
      return
    end
    local.get $p0
    i32.load offset=224 align=1
    i32.const 32672
    i32.and
    i32.const 8096
    i32.ne
    if $I1
      local.get $p0
      local.get $l7
      i64.store offset=136 align=1
      i32.const 1
      return
    end
    block $B2
      block $B3
        local.get $l1
        local.set $l3
        local.get $l16
        i64.extend_i32_u
        local.set $l6
        i32.const 0
        local.set $l16
        loop $L4
          block $B5
            local.get $l5
            local.get $l8
            i64.add
            local.tee $l1
            i32.wrap_i64
            i32.const 15
            i32.and
            if $I6
              i64.const 65536
              local.set $l2
              br $B2
            end
            local.get $l1
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            local.get $l18
            i32.add
            local.tee $l19
            i64.load align=1
            local.get $l1
            i64.const 15
            i64.add
            i64.const -4096
            i64.and
            i64.ne
            if $I7
              i64.const 65536
              local.set $l2
              br $B2
            end
            local.get $l19
            i32.load offset=8 align=1
            local.get $l1
            i32.wrap_i64
            i32.add
            v128.load align=1
            local.set $l12
          end
          block $B8
            local.get $l5
            local.get $l9
            i64.add
            local.tee $l1
            i32.wrap_i64
            i32.const 15
            i32.and
            if $I9
              i64.const 83951617
              local.set $l2
              br $B2
            end
            local.get $l1
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            local.get $l18
            i32.add
            local.tee $l19
            i64.load align=1
            local.get $l1
            i64.const 15
            i64.add
            i64.const -4096
            i64.and
            i64.ne
            if $I10
              i64.const 83951617
              local.set $l2
              br $B2
            end
            local.get $l12
            local.get $l19
            i32.load offset=8 align=1
            local.get $l1
            i32.wrap_i64
            i32.add
            v128.load align=1
            local.tee $l14
            f64x2.mul
            local.set $l10
            block $B11
              local.get $l12
              v128.const i32x4 0xffffffff 0x7fffffff 0xffffffff 0x7fffffff
              v128.and
              v128.const i32x4 0x00000001 0x00000000 0x00000001 0x00000000
              i64x2.sub
              local.tee $l11
              v128.const i32x4 0xffffffff 0x000fffff 0xffffffff 0x000fffff
              i64x2.sub
              local.get $l11
              v128.andnot
              local.get $l14
              v128.const i32x4 0xffffffff 0x7fffffff 0xffffffff 0x7fffffff
              v128.and
              v128.const i32x4 0x00000001 0x00000000 0x00000001 0x00000000
              i64x2.sub
              local.tee $l11
              v128.const i32x4 0xffffffff 0x000fffff 0xffffffff 0x000fffff
              i64x2.sub
              local.get $l11
              v128.andnot
              v128.or
              local.tee $l11
              local.get $l10
              v128.const i32x4 0xffffffff 0x7fffffff 0xffffffff 0x7fffffff
              v128.and
              local.tee $l15
              v128.const i32x4 0x00000001 0x00100000 0x00000001 0x00100000
              i64x2.sub
              v128.const i32x4 0xffffffff 0x7fefffff 0xffffffff 0x7fefffff
              local.get $l15
              i64x2.sub
              v128.or
              local.tee $l15
              v128.or
              i64x2.bitmask
              if $I12
                local.get $l11
                local.get $l15
                local.get $l10
                v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                f64x2.eq
                local.get $l12
                v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                f64x2.eq
                local.get $l14
                v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
                f64x2.eq
                v128.or
                v128.and
                v128.andnot
                v128.or
                i64x2.bitmask
                br_if $B11
              end
              local.get $l10
              local.set $l12
              br $B8
            end
            i64.const 83951617
            local.set $l2
            br $B2
          end
          block $B13
            block $B14
              local.get $l13
              v128.const i32x4 0xffffffff 0x7fffffff 0xffffffff 0x7fffffff
              v128.and
              v128.const i32x4 0x00000001 0x00000000 0x00000001 0x00000000
              i64x2.sub
              local.tee $l10
              v128.const i32x4 0xffffffff 0x000fffff 0xffffffff 0x000fffff
              i64x2.sub
              local.get $l10
              v128.andnot
              local.get $l12
              v128.const i32x4 0xffffffff 0x7fffffff 0xffffffff 0x7fffffff
              v128.and
              v128.const i32x4 0x00000001 0x00000000 0x00000001 0x00000000
              i64x2.sub
              local.tee $l10
              v128.const i32x4 0xffffffff 0x000fffff 0xffffffff 0x000fffff
              i64x2.sub
              local.get $l10
              v128.andnot
              v128.or
              local.tee $l14
              local.get $l13
              local.get $l12
              f64x2.add
              local.tee $l10
              v128.const i32x4 0xffffffff 0x7fffffff 0xffffffff 0x7fffffff
              v128.and
              local.tee $l11
              v128.const i32x4 0x00000001 0x00100000 0x00000001 0x00100000
              i64x2.sub
              v128.const i32x4 0xffffffff 0x7fefffff 0xffffffff 0x7fefffff
              local.get $l11
              i64x2.sub
              v128.or
              local.tee $l11
              v128.or
              i64x2.bitmask
              i32.const 0
              local.get $l14
              local.get $l11
              local.get $l10
              v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
              f64x2.eq
              v128.andnot
              v128.or
              i64x2.bitmask
              select
              br_if $B14
              local.get $l10
              local.set $l13
              br $B13
            end
            i64.const 167837698
            local.set $l2
            br $B2
          end
          local.get $l17
          i32.const 6
          i32.sub
          local.set $l17
          local.get $l5
          i64.const 16
          i64.add
          local.tee $l5
          local.tee $l3
          local.get $l2
          local.tee $l6
          i64.ne
          if $I15
            local.get $l17
            i32.const 7
            i32.lt_s
            if $I16
              i64.const 0
              local.set $l2
              br $B3
            end
            i32.const 7
            local.set $l16
            br $L4
          else
            block $B17
              local.get $l4
              i32.wrap_i64
              i32.const 8
              i32.shr_u
              i32.const 65520
              i32.and
              local.get $l18
              i32.add
              local.tee $l18
              i64.load align=1
              local.get $l4
              i64.const 7
              i64.add
              i64.const -4096
              i64.and
              i64.ne
              if $I18
                i64.const 385941504
                local.set $l2
                br $B3
              end
              local.get $l18
              i32.load offset=8 align=1
              local.get $l4
              i32.wrap_i64
              i32.add
              i64.load align=1
              local.tee $l1
              i64.const 16
              i64.shl
              i64.const 16
              i64.shr_s
              local.get $l1
              i64.ne
              if $I19
                i64.const 385941504
                local.set $l2
                br $B3
              end
              local.get $l4
              i64.const 8
              i64.add
              local.set $l4
            end
            local.get $l17
            i32.const 1
            i32.sub
            local.set $l17
            local.get $l1
            local.set $l7
            i64.const 0
            local.set $l2
          end
        end
      end
      i32.const 7
      local.set $l16
    end
    local.get $l16
    if $I20 (result i32)
      local.get $l3
      local.get $l6
      i64.sub
      local.set $l1
      local.get $l6
      local.get $l3
      i64.const -1
      i64.xor
      local.tee $l3
      i64.and
      local.get $l1
      local.get $l6
      local.get $l3
      i64.or
      i64.and
      i64.or
      local.tee $l3
      i64.const 32
      i64.shr_u
      i32.wrap_i64
      i32.const -1073741824
      i32.and
      local.get $l3
      i32.wrap_i64
      i32.const 8
      i32.and
      i32.or
    else
      local.get $l3
      local.set $l1
      local.get $l6
      i32.wrap_i64
    end
    local.set $l16
    local.get $p0
    local.get $l2
    i64.const 24
    i64.shr_u
    local.get $l7
    i64.add
    i64.store offset=136 align=1
    local.get $p0
    local.get $l17
    local.get $l2
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    i32.store offset=168 align=1
    local.get $p0
    local.get $l1
    i64.store offset=152 align=1
    local.get $p0
    local.get $l16
    i32.store offset=160 align=1
    local.get $p0
    local.get $l5
    i64.store align=1
    local.get $p0
    local.get $l4
    i64.store offset=32 align=1
    local.get $p0
    local.get $l12
    v128.store offset=240 align=1
    local.get $p0
    local.get $l13
    v128.store offset=256 align=1
    local.get $l2
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 255
    i32.and)
  (export "region" (func $region)))
