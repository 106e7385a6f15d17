;; 175 nodes, 11 locals, 412 bytes
;;
;; 000  add rax, rcx
;; 003  dec rcx
;; 006  jne 0x0
;; 008  hlt

(module
  (type $t0 (func (param i32) (result i32)))
  (import "env" "memory" (memory $env.memory 1536 65536 shared))
  (func $region (type $t0) (param $p0 i32) (result i32)
    (local $l1 i64) (local $l2 i64) (local $l3 i64) (local $l4 i64) (local $l5 i64) (local $l6 i64) (local $l7 i64) (local $l8 i64) (local $l9 i32) (local $l10 i32) (local $l11 i32)
    local.get $p0
    i32.load offset=168 align=1
    local.set $l11
    local.get $p0
    i64.load offset=144 align=1
    local.set $l7
    local.get $p0
    i64.load align=1
    local.set $l6
    local.get $p0
    i64.load offset=8 align=1
    local.set $l2
    block $B0
      local.get $p0
      i64.load offset=152 align=1
      drop
      local.get $p0
      i32.load offset=160 align=1
      drop
      loop $L1
        local.get $l2
        local.tee $l3
        local.get $l6
        i64.add
        local.tee $l1
        local.set $l6
        local.get $l2
        i64.const 1
        i64.sub
        local.set $l2
        local.get $l11
        i32.const 3
        i32.sub
        local.set $l11
        local.get $l2
        i64.eqz
        if $I2
          i64.const 134283264
          local.set $l5
        else
          local.get $l11
          i32.const 3
          i32.lt_s
          if $I3
            i64.const 0
            local.set $l5
            br $B0
          end
          br $L1
        end
      end
    end
    local.get $l3
    local.set $l4
    i32.const 15
    local.set $l9
    i32.const 11
    local.set $l10
    local.get $l2
    local.set $l3
    local.get $l9
    if $I4 (result i64)
      local.get $l4
      local.get $l1
      local.get $l4
      i64.sub
      local.tee $l8
      i64.and
      local.get $l4
      local.get $l8
      i64.or
      local.get $l1
      i64.const -1
      i64.xor
      i64.and
      i64.or
      local.tee $l4
      i64.const 32
      i64.shr_u
      i32.wrap_i64
      i32.const -1073741824
      i32.and
      local.get $l4
      i32.wrap_i64
      i32.const 8
      i32.and
      i32.or
      local.set $l9
      local.get $l1
    else
      local.get $l4
      i32.wrap_i64
      local.set $l9
      local.get $l1
    end
    local.set $l1
    local.get $l10
    if $I5
      local.get $l3
      i64.const 1
      i64.add
      i64.const -1
      i64.xor
      local.tee $l1
      i64.const 1
      i64.and
      local.get $l3
      local.get $l1
      i64.const 1
      i64.or
      i64.and
      i64.or
      local.tee $l1
      i64.const 32
      i64.shr_u
      i32.wrap_i64
      i32.const -1073741824
      i32.and
      local.get $l1
      i32.wrap_i64
      i32.const 8
      i32.and
      i32.or
      local.set $l10
      local.get $l3
      local.set $l1
      local.get $l10
      i32.const 1073741823
      i32.and
      local.get $l9
      i32.const 31
      i32.shr_u
      local.tee $l9
      i32.const 31
      i32.shl
      local.get $l10
      i32.const 1
      i32.shl
      local.get $l10
      i32.xor
      i32.const 31
      i32.shr_u
      local.get $l9
      i32.xor
      i32.const 30
      i32.shl
      i32.or
      i32.or
      local.set $l9
    end
    local.get $p0
    local.get $l5
    i64.const 24
    i64.shr_u
    local.get $l7
    i64.add
    i64.store offset=136 align=1
    local.get $p0
    local.get $l11
    local.get $l5
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    i32.store offset=168 align=1
    local.get $p0
    local.get $l1
    i64.store offset=152 align=1
    local.get $p0
    local.get $l9
    i32.store offset=160 align=1
    local.get $p0
    local.get $l6
    i64.store align=1
    local.get $p0
    local.get $l2
    i64.store offset=8 align=1
    local.get $l5
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 255
    i32.and)
  (export "region" (func $region)))
