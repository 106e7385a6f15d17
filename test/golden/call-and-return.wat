;; 179 nodes, 16 locals, 438 bytes
;;
;; 000  mov edi, 0x5
;; 005  call 0xe
;; 00a  add eax, 0x1
;; 00d  ret
;; 00e  push rbx
;; 00f  mov ebx, edi
;; 011  lea eax, [rbx+rbx]
;; 014  pop rbx
;; 015  ret

(module
  (type $t0 (func (param i32) (result i32)))
  (import "env" "memory" (memory $env.memory 1536 65536 shared))
  (func $region (type $t0) (param $p0 i32) (result i32)
    (local $l1 i32) (local $l2 i32) (local $l3 i32) (local $l4 i32) (local $l5 i32) (local $l6 i64) (local $l7 i64) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i64) (local $l12 i64) (local $l13 i64) (local $l14 i64) (local $l15 i64) (local $l16 i64)
    local.get $p0
    i32.load offset=168 align=1
    local.set $l1
    local.get $p0
    i64.load align=1
    local.set $l11
    local.get $p0
    i64.load offset=24 align=1
    local.set $l7
    local.get $p0
    i64.load offset=56 align=1
    drop
    block $B0
      i64.const 5
      local.set $l12
      local.get $p0
      i64.load offset=144 align=1
      local.tee $l13
      i64.const 10
      i64.add
      local.set $l14
      local.get $p0
      i32.load offset=180 align=1
      local.tee $l2
      local.get $p0
      i64.load offset=32 align=1
      local.tee $l8
      i64.const 8
      i64.sub
      local.tee $l10
      i32.wrap_i64
      i32.const 8
      i32.shr_u
      i32.const 65520
      i32.and
      i32.add
      local.tee $l3
      i64.load offset=65536 align=1
      local.get $l10
      i64.const 7
      i64.add
      i64.const -4096
      i64.and
      i64.eq
      i32.eqz
      if $I1
        i64.const 83951617
        local.set $l6
        br $B0
      end
      local.get $l10
      i32.wrap_i64
      local.get $l3
      i32.load offset=65544 align=1
      i32.add
      local.get $l14
      i64.store align=1
      local.get $l1
      i32.const 2
      i32.sub
      local.set $l1
      local.get $l7
      local.set $l15
      local.get $l2
      local.get $l10
      local.tee $l8
      i64.const 8
      i64.sub
      local.tee $l9
      i32.wrap_i64
      i32.const 8
      i32.shr_u
      i32.const 65520
      i32.and
      i32.add
      local.tee $l4
      i64.load offset=65536 align=1
      local.get $l9
      i64.const 7
      i64.add
      i64.const -4096
      i64.and
      i64.eq
      i32.eqz
      if $I2
        i64.const 234946560
        local.set $l6
        br $B0
      end
      local.get $l9
      i32.wrap_i64
      local.get $l4
      i32.load offset=65544 align=1
      i32.add
      local.get $l15
      i64.store align=1
      local.get $l12
      i32.wrap_i64
      i64.extend_i32_u
      local.tee $l7
      local.get $l7
      i64.add
      i32.wrap_i64
      i64.extend_i32_u
      local.set $l11
      local.get $l2
      local.get $l9
      local.tee $l8
      local.tee $l16
      i32.wrap_i64
      i32.const 8
      i32.shr_u
      i32.const 65520
      i32.and
      i32.add
      local.tee $l5
      i64.load align=1
      local.get $l9
      i64.const 7
      i64.add
      i64.const -4096
      i64.and
      i64.eq
      i32.eqz
      if $I3
        i64.const 335609859
        local.set $l6
        br $B0
      end
      local.get $l8
      i64.const 8
      i64.add
      local.set $l8
      local.get $l16
      i32.wrap_i64
      local.get $l5
      i32.load offset=8 align=1
      i32.add
      i64.load align=1
      local.set $l7
      local.get $l1
      i32.const 4
      i32.sub
      local.set $l1
      i64.const 352387072
      local.set $l6
      br $B0
    end
    local.get $p0
    local.get $l13
    local.get $l6
    i64.const 24
    i64.shr_s
    i64.add
    i64.store offset=136 align=1
    local.get $p0
    local.get $l1
    local.get $l6
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.tee $l1
    i32.store offset=168 align=1
    local.get $p0
    local.get $l11
    i64.store align=1
    local.get $p0
    local.get $l7
    i64.store offset=24 align=1
    local.get $p0
    local.get $l8
    i64.store offset=32 align=1
    local.get $p0
    local.get $l12
    i64.store offset=56 align=1
    local.get $l6
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 255
    i32.and
    return)
  (export "region" (func $region)))
