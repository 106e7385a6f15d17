;; 236 nodes, 19 locals, 550 bytes
;;
;; 000  mov al, byte ptr [rsi]
;; 002  mov byte ptr [rdi], al
;; 004  inc rsi
;; 007  inc rdi
;; 00a  test al, al
;; 00c  jne 0x0
;; 00e  ret

(module
  (type $t0 (func (param i32) (result i32)))
  (import "env" "memory" (memory $env.memory 1536 65536 shared))
  (func $region (type $t0) (param $p0 i32) (result i32)
    (local $l1 i64) (local $l2 i64) (local $l3 i64) (local $l4 i64) (local $l5 i64) (local $l6 i64) (local $l7 i64) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i64) (local $l12 i64) (local $l13 i32) (local $l14 i32) (local $l15 i32) (local $l16 i32) (local $l17 i32) (local $l18 i32) (local $l19 i32)
    local.get $p0
    i32.load offset=168 align=1
    local.set $l13
    local.get $p0
    i64.load offset=144 align=1
    local.set $l8
    local.get $p0
    i32.load offset=180 align=1
    local.set $l14
    local.get $p0
    i64.load align=1
    local.set $l2
    local.get $p0
    i64.load offset=32 align=1
    local.set $l3
    local.get $p0
    i64.load offset=48 align=1
    local.set $l4
    local.get $p0
    i64.load offset=56 align=1
    local.set $l5
    block $B0
      block $B1
        local.get $p0
        i64.load offset=152 align=1
        local.set $l6
        local.get $p0
        i32.load offset=160 align=1
        i64.extend_i32_u
        local.set $l7
        loop $L2
          local.get $l14
          local.get $l4
          local.tee $l10
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l16
          i64.load align=1
          local.get $l4
          i64.const -4096
          i64.and
          i64.eq
          i32.eqz
          if $I3
            i64.const 65536
            local.set $l1
            br $B0
          end
          local.get $l2
          i64.const -256
          i64.and
          local.get $l10
          i32.wrap_i64
          local.get $l16
          i32.load offset=8 align=1
          i32.add
          i32.load8_u
          i64.extend_i32_u
          i64.or
          local.tee $l2
          i32.wrap_i64
          i32.const 255
          i32.and
          local.set $l17
          local.get $l14
          local.get $l5
          local.tee $l11
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l18
          i64.load offset=65536 align=1
          local.get $l5
          i64.const -4096
          i64.and
          i64.eq
          i32.eqz
          if $I4
            i64.const 33619969
            local.set $l1
            br $B0
          end
          local.get $l11
          i32.wrap_i64
          local.get $l18
          i32.load offset=65544 align=1
          i32.add
          local.get $l17
          i32.store8
          local.get $l4
          i64.const 1
          i64.add
          local.set $l4
          local.get $l5
          i64.const 1
          i64.add
          local.set $l5
          local.get $l13
          i32.const 6
          i32.sub
          local.set $l13
          local.get $l2
          i32.wrap_i64
          i32.const 255
          i32.and
          local.get $l2
          i32.wrap_i64
          i32.const 255
          i32.and
          i32.and
          local.tee $l15
          i32.const 0
          i32.ne
          if $I5
            local.get $l13
            i32.const 7
            i32.lt_s
            if $I6
              i64.const 0
              local.set $l1
              br $B1
            end
            local.get $l15
            i32.extend8_s
            i64.extend_i32_s
            local.set $l6
            i64.const 0
            local.set $l7
            br $L2
          else
            local.get $l14
            local.get $l3
            local.tee $l12
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.tee $l19
            i64.load align=1
            local.get $l3
            i64.const 7
            i64.add
            i64.const -4096
            i64.and
            i64.eq
            i32.eqz
            if $I7
              i64.const 234946560
              local.set $l1
              br $B1
            end
            local.get $l12
            i32.wrap_i64
            local.get $l19
            i32.load offset=8 align=1
            i32.add
            i64.load align=1
            local.tee $l9
            i64.const 16
            i64.shl
            i64.const 16
            i64.shr_s
            local.get $l9
            i64.ne
            if $I8
              i64.const 234946560
              local.set $l1
              br $B1
            end
            local.get $l3
            i64.const 8
            i64.add
            local.set $l3
            local.get $l13
            i32.const 1
            i32.sub
            local.set $l13
            local.get $l9
            local.set $l8
            i64.const 0
            local.set $l1
            br $B1
          end
          unreachable
        end
        unreachable
      end
      local.get $l15
      i32.extend8_s
      i64.extend_i32_s
      local.set $l6
      i64.const 0
      local.set $l7
      br $B0
    end
    local.get $p0
    local.get $l8
    local.get $l1
    i64.const 24
    i64.shr_s
    i64.add
    i64.store offset=136 align=1
    local.get $p0
    local.get $l13
    local.get $l1
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.tee $l13
    i32.store offset=168 align=1
    local.get $p0
    local.get $l6
    i64.store offset=152 align=1
    local.get $p0
    local.get $l7
    i32.wrap_i64
    i32.store offset=160 align=1
    local.get $p0
    local.get $l2
    i64.store align=1
    local.get $p0
    local.get $l3
    i64.store offset=32 align=1
    local.get $p0
    local.get $l4
    i64.store offset=48 align=1
    local.get $p0
    local.get $l5
    i64.store offset=56 align=1
    local.get $l1
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 255
    i32.and
    return)
  (export "region" (func $region)))
