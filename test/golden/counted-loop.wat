;; 230 nodes, 21 locals, 539 bytes
;;
;; 000  add rax, rcx
;; 003  dec rcx
;; 006  jne 0x0
;; 008  hlt

(module
  (type $t0 (func (param i32) (result i32)))
  (import "env" "memory" (memory $env.memory 1536 65536 shared))
  (func $region (type $t0) (param $p0 i32) (result i32)
    (local $l1 i32) (local $l2 i64) (local $l3 i64) (local $l4 i32) (local $l5 i64) (local $l6 i64) (local $l7 i64) (local $l8 i64) (local $l9 i32) (local $l10 i32) (local $l11 i64) (local $l12 i64) (local $l13 i64) (local $l14 i32) (local $l15 i64) (local $l16 i64) (local $l17 i64) (local $l18 i64) (local $l19 i64) (local $l20 i32) (local $l21 i32)
    local.get $p0
    i32.load offset=168 align=1
    local.set $l1
    local.get $p0
    i64.load offset=144 align=1
    local.set $l2
    local.get $p0
    i64.load offset=152 align=1
    local.set $l3
    local.get $p0
    i32.load offset=160 align=1
    local.set $l4
    local.get $p0
    i64.load align=1
    local.set $l5
    local.get $p0
    i64.load offset=8 align=1
    local.set $l6
    block $B0
      block $B1
        block $B2
          local.get $l3
          local.set $l7
          local.get $l4
          i64.extend_i32_u
          local.set $l8
          i32.const 0
          local.set $l9
          i32.const 0
          local.set $l10
          loop $L3
            block $B4
              local.get $l6
              local.set $l11
              local.get $l5
              local.get $l11
              i64.add
              local.set $l12
              local.get $l12
              local.set $l5
            end
            block $B5
              local.get $l6
              i64.const 1
              i64.sub
              local.set $l13
              local.get $l13
              local.set $l6
            end
            block $B6
              local.get $l13
              i64.eqz
              i32.eqz
              local.set $l14
            end
            local.get $l1
            i32.const 3
            i32.sub
            local.set $l1
            local.get $l14
            if $I7
              local.get $l1
              i32.const 3
              i32.lt_s
              if $I8
                i64.const 0
                local.set $l15
                br $B2
              end
              local.get $l12
              local.set $l7
              local.get $l11
              local.set $l8
              i32.const 15
              local.set $l9
              i32.const 11
              local.set $l10
              local.get $l13
              local.set $l16
              br $L3
            else
              i64.const 134283264
              local.set $l15
              br $B2
            end
          end
        end
        local.get $l12
        local.set $l7
        local.get $l11
        local.set $l8
        i32.const 15
        local.set $l9
        i32.const 11
        local.set $l10
        local.get $l13
        local.set $l16
        br $B1
      end
      local.get $l9
      i32.const 0
      i32.eq
      if $I9
        local.get $l7
        local.set $l3
        local.get $l8
        i32.wrap_i64
        local.set $l4
      else
        local.get $l7
        local.set $l17
        local.get $l8
        local.set $l18
        local.get $l17
        local.get $l18
        i64.sub
        local.set $l19
        local.get $l19
        local.get $l18
        i64.and
        local.get $l19
        local.get $l18
        i64.or
        local.get $l17
        i64.const -1
        i64.xor
        i64.and
        i64.or
        local.set $l18
        local.get $l17
        local.set $l3
        local.get $l18
        i64.const 32
        i64.shr_u
        i32.wrap_i64
        i32.const -1073741824
        i32.and
        local.get $l18
        i32.wrap_i64
        i32.const 8
        i32.and
        i32.or
        local.set $l4
      end
      local.get $l10
      i32.const 0
      i32.eq
      if $I10
      else
        local.get $l16
        local.set $l18
        local.get $l4
        i32.const 31
        i32.shr_u
        local.set $l20
        local.get $l18
        i64.const 1
        i64.add
        i64.const -1
        i64.xor
        local.set $l17
        local.get $l17
        i64.const 1
        i64.and
        local.get $l17
        i64.const 1
        i64.or
        local.get $l18
        i64.and
        i64.or
        local.set $l17
        local.get $l17
        i64.const 32
        i64.shr_u
        i32.wrap_i64
        i32.const -1073741824
        i32.and
        local.get $l17
        i32.wrap_i64
        i32.const 8
        i32.and
        i32.or
        local.set $l21
        local.get $l18
        local.set $l3
        local.get $l21
        i32.const 1073741823
        i32.and
        local.get $l20
        i32.const 31
        i32.shl
        local.get $l20
        local.get $l21
        local.get $l21
        i32.const 1
        i32.shl
        i32.xor
        i32.const 31
        i32.shr_u
        i32.xor
        i32.const 30
        i32.shl
        i32.or
        i32.or
        local.set $l4
      end
    end
    local.get $l1
    local.get $l15
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.set $l1
    local.get $p0
    local.get $l2
    local.get $l15
    i64.const 24
    i64.shr_s
    i64.add
    i64.store offset=136 align=1
    local.get $p0
    local.get $l1
    i32.store offset=168 align=1
    local.get $p0
    local.get $l3
    i64.store offset=152 align=1
    local.get $p0
    local.get $l4
    i32.store offset=160 align=1
    local.get $p0
    local.get $l5
    i64.store align=1
    local.get $p0
    local.get $l6
    i64.store offset=8 align=1
    local.get $l15
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 255
    i32.and
    return
    unreachable)
  (export "region" (func $region)))
