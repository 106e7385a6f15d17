;; 214 nodes, 10 locals, 517 bytes
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
    (local $l1 i64) (local $l2 i64) (local $l3 i64) (local $l4 i64) (local $l5 i64) (local $l6 i64) (local $l7 i64) (local $l8 i32) (local $l9 i32) (local $l10 i32)
    local.get $p0
    i32.load offset=168 align=1
    local.set $l8
    local.get $p0
    i64.load align=1
    local.set $l4
    local.get $p0
    i64.load offset=24 align=1
    local.set $l3
    local.get $p0
    i64.load offset=56 align=1
    drop
    block $B0
      i64.const 5
      local.set $l5
      block $B1
        local.get $p0
        i64.load offset=144 align=1
        local.tee $l6
        i64.const 10
        i64.add
        local.set $l7
        local.get $p0
        i32.load offset=180 align=1
        local.tee $l9
        local.get $p0
        i64.load offset=32 align=1
        local.tee $l2
        i64.const 8
        i64.sub
        local.tee $l1
        i32.wrap_i64
        i32.const 8
        i32.shr_u
        i32.const 65520
        i32.and
        i32.add
        local.tee $l10
        i64.load offset=65536 align=1
        local.get $l1
        i64.const 7
        i64.add
        i64.const -4096
        i64.and
        i64.ne
        if $I2
          i64.const 83951617
          local.set $l1
          br $B0
        end
        local.get $l10
        i32.load offset=65544 align=1
        local.get $l1
        i32.wrap_i64
        i32.add
        local.get $l7
        i64.store align=1
      end
      local.get $l8
      i32.const 2
      i32.sub
      local.set $l8
      block $B3
        local.get $l1
        local.tee $l2
        i64.const 8
        i64.sub
        local.tee $l1
        i32.wrap_i64
        i32.const 8
        i32.shr_u
        i32.const 65520
        i32.and
        local.get $l9
        i32.add
        local.tee $l10
        i64.load offset=65536 align=1
        local.get $l1
        i64.const 7
        i64.add
        i64.const -4096
        i64.and
        i64.ne
        if $I4
          i64.const 234946560
          local.set $l1
          br $B0
        end
        local.get $l10
        i32.load offset=65544 align=1
        local.get $l1
        i32.wrap_i64
        i32.add
        local.get $l3
        i64.store align=1
      end
      local.get $l5
      local.tee $l3
      local.get $l3
      i64.add
      i32.wrap_i64
      i64.extend_i32_u
      local.set $l4
      block $B5
        local.get $l1
        local.tee $l2
        i32.wrap_i64
        i32.const 8
        i32.shr_u
        i32.const 65520
        i32.and
        local.get $l9
        i32.add
        local.tee $l10
        i64.load align=1
        local.get $l2
        i64.const 7
        i64.add
        i64.const -4096
        i64.and
        i64.ne
        if $I6
          i64.const 335609859
          local.set $l1
          br $B0
        end
        local.get $l10
        i32.load offset=8 align=1
        local.get $l2
        i32.wrap_i64
        i32.add
        i64.load align=1
        local.set $l3
      end
      block $B7
        local.get $l2
        i64.const 8
        i64.add
        local.tee $l2
        i32.wrap_i64
        i32.const 8
        i32.shr_u
        i32.const 65520
        i32.and
        local.get $l9
        i32.add
        local.tee $l9
        i64.load align=1
        local.get $l2
        i64.const 7
        i64.add
        i64.const -4096
        i64.and
        i64.ne
        if $I8
          i64.const 352387076
          local.set $l1
          br $B0
        end
        local.get $l9
        i32.load offset=8 align=1
        local.get $l2
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
        if $I9
          i64.const 352387076
          local.set $l1
          br $B0
        end
        local.get $l2
        i64.const 8
        i64.add
        local.set $l2
      end
      local.get $l8
      i32.const 5
      i32.sub
      local.set $l8
      local.get $l1
      local.set $l6
      i64.const 0
      local.set $l1
    end
    local.get $p0
    local.get $l1
    i64.const 24
    i64.shr_u
    local.get $l6
    i64.add
    i64.store offset=136 align=1
    local.get $p0
    local.get $l8
    local.get $l1
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    i32.store offset=168 align=1
    local.get $p0
    local.get $l4
    i64.store align=1
    local.get $p0
    local.get $l3
    i64.store offset=24 align=1
    local.get $p0
    local.get $l2
    i64.store offset=32 align=1
    local.get $p0
    local.get $l5
    i64.store offset=56 align=1
    local.get $l1
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 255
    i32.and)
  (export "region" (func $region)))
