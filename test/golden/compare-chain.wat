;; 85 nodes, 11 locals, 238 bytes
;;
;; 000  cmp edi, 0x1
;; 003  je 0x15
;; 005  cmp edi, 0x2
;; 008  je 0x1b
;; 00a  cmp edi, 0x3
;; 00d  ja 0x21
;; 00f  mov eax, 0x1e
;; 014  ret
;; 015  mov eax, 0xa
;; 01a  ret
;; 01b  mov eax, 0x14
;; 020  ret
;; 021  mov eax, 0x28
;; 026  ret

(module
  (type $t0 (func (param i32) (result i32)))
  (import "env" "memory" (memory $env.memory 1536 65536 shared))
  (func $region (type $t0) (param $p0 i32) (result i32)
    (local $l1 i32) (local $l2 i32) (local $l3 i32) (local $l4 i32) (local $l5 i32) (local $l6 i32) (local $l7 i32) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i64)
    local.get $p0
    i64.load offset=144 align=1
    local.set $l9
    local.get $p0
    i64.load offset=152 align=1
    drop
    local.get $p0
    i32.load offset=160 align=1
    drop
    block $B0
      block $B1
        local.get $p0
        i64.load offset=56 align=1
        i32.wrap_i64
        local.set $l3
        local.get $p0
        i32.load offset=168 align=1
        local.tee $l1
        i32.const 1
        i32.sub
        local.set $l1
        i64.const 50397184
        local.set $l8
        br $B1
      end
      local.get $l3
      i64.extend_i32_u
      local.set $l10
      i64.const 1
      local.set $l11
      br $B0
    end
    local.get $p0
    local.get $l9
    local.get $l8
    i64.const 24
    i64.shr_s
    i64.add
    i64.store offset=136 align=1
    local.get $p0
    local.get $l1
    local.get $l8
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.tee $l1
    i32.store offset=168 align=1
    local.get $p0
    local.get $l10
    i32.wrap_i64
    local.tee $l4
    local.get $l11
    i32.wrap_i64
    local.tee $l2
    i32.sub
    local.tee $l5
    i64.extend_i32_s
    i64.store offset=152 align=1
    local.get $p0
    local.get $l4
    i32.const -1
    i32.xor
    local.tee $l6
    local.get $l2
    i32.and
    local.get $l6
    local.get $l2
    i32.or
    local.get $l5
    i32.and
    i32.or
    local.tee $l7
    i32.const -1073741824
    i32.and
    local.get $l7
    i32.const 8
    i32.and
    i32.or
    i32.store offset=160 align=1
    local.get $l8
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 255
    i32.and
    return)
  (export "region" (func $region)))
