;; 392 nodes, 20 locals, 1110 bytes
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
    (local $l2 i64) (local $l3 i32) (local $l4 i64) (local $l5 i32) (local $l6 i64) (local $l7 i64) (local $l8 i64) (local $l9 i32) (local $l10 i32) (local $l11 i32) (local $l12 i64) (local $l13 i64) (local $l14 i64) (local $l15 i32) (local $l16 i64) (local $l17 i32) (local $l18 i32) (local $l19 i64) (local $l20 i64) (local $l21 i32)
    local.get $p0
    i64.load offset=144 align=1
    local.set $l2
    local.get $p0
    i32.load offset=180 align=1
    local.set $l3
    local.get $p0
    i64.load offset=152 align=1
    local.set $l4
    local.get $p0
    i32.load offset=160 align=1
    local.set $l5
    local.get $p0
    i64.load align=1
    local.set $l6
    local.get $p0
    i64.load offset=32 align=1
    local.set $l7
    local.get $p0
    i64.load offset=56 align=1
    local.set $l8
    local.get $p0
    i32.load offset=168 align=1
    local.tee $l9
    i32.const 14
    i32.lt_s
    if $I0
      local.get $p0
      local.get $p1
      i32.const 48
      i32.add
      local.tee $l10
      local.get $l10
      i32.load align=1
      return_call_indirect (type $t3)
    end
    block $B1
      block $B2
        block $B3
          block $B4
            local.get $l8
            i32.wrap_i64
            local.tee $l11
            i32.const 1
            i32.eq
            if $I5
              i64.const 10
              local.set $l6
              local.get $l3
              local.get $l7
              local.tee $l12
              i32.wrap_i64
              i32.const 8
              i32.shr_u
              i32.const 65520
              i32.and
              i32.add
              local.tee $l10
              i64.load align=1
              local.get $l12
              i64.const 7
              i64.add
              i64.const -4096
              i64.and
              i64.ne
              if $I6
                local.get $p0
                local.get $l12
                i32.const 8
                call $env.enter_read
                i32.eqz
                if $I7
                  i64.const 111669215235
                  local.set $l13
                  br $B4
                end
              end
              local.get $l12
              i32.wrap_i64
              local.get $l10
              i32.load offset=8 align=1
              i32.add
              i64.load align=1
              local.tee $l14
              i64.const 16
              i64.shl
              i64.const 16
              i64.shr_s
              local.get $l14
              i64.ne
              if $I8
                i64.const 111669215235
                local.set $l13
                br $B4
              end
              local.get $l12
              i64.const 8
              i64.add
              local.set $l7
              i32.const 26
              local.set $l15
              local.get $l14
              local.get $l2
              i64.sub
              local.set $l16
              local.get $l14
              local.set $l2
              i64.const 4
              local.set $l13
              br $B4
            end
            local.get $l8
            i32.wrap_i64
            local.tee $l17
            i32.const 2
            i32.eq
            if $I9
              i64.const 20
              local.set $l6
              local.get $l3
              local.get $l7
              local.tee $l14
              i32.wrap_i64
              i32.const 8
              i32.shr_u
              i32.const 65520
              i32.and
              i32.add
              local.tee $l10
              i64.load align=1
              local.get $l14
              i64.const 7
              i64.add
              i64.const -4096
              i64.and
              i64.ne
              if $I10
                local.get $p0
                local.get $l14
                i32.const 8
                call $env.enter_read
                i32.eqz
                if $I11
                  i64.const 137439019013
                  local.set $l13
                  br $B3
                end
              end
              local.get $l14
              i32.wrap_i64
              local.get $l10
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
              if $I12
                i64.const 137439019013
                local.set $l13
                br $B3
              end
              local.get $l14
              i64.const 8
              i64.add
              local.set $l7
              i32.const 32
              local.set $l15
              local.get $l12
              local.get $l2
              i64.sub
              local.set $l16
              local.get $l12
              local.set $l2
              i64.const 6
              local.set $l13
              br $B3
            end
            local.get $l8
            i32.wrap_i64
            local.tee $l18
            i32.const 3
            i32.gt_u
            if $I13
              i64.const 40
              local.set $l6
              local.get $l3
              local.get $l7
              local.tee $l8
              i32.wrap_i64
              i32.const 8
              i32.shr_u
              i32.const 65520
              i32.and
              i32.add
              local.tee $l10
              i64.load align=1
              local.get $l8
              i64.const 7
              i64.add
              i64.const -4096
              i64.and
              i64.ne
              if $I14
                local.get $p0
                local.get $l8
                i32.const 8
                call $env.enter_read
                i32.eqz
                if $I15
                  i64.const 163208822791
                  local.set $l13
                  br $B2
                end
              end
              local.get $l8
              i32.wrap_i64
              local.get $l10
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
              if $I16
                i64.const 163208822791
                local.set $l13
                br $B2
              end
              local.get $l8
              i64.const 8
              i64.add
              local.set $l7
              i32.const 38
              local.set $l15
              local.get $l12
              local.get $l2
              i64.sub
              local.set $l16
              local.get $l12
              local.set $l2
              i64.const 8
              local.set $l13
              br $B2
            end
            i64.const 30
            local.set $l6
            local.get $l3
            local.get $l7
            local.tee $l12
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.tee $l3
            i64.load align=1
            local.get $l12
            i64.const 7
            i64.add
            i64.const -4096
            i64.and
            i64.ne
            if $I17
              local.get $p0
              local.get $l12
              i32.const 8
              call $env.enter_read
              i32.eqz
              if $I18
                i64.const 85899411463
                local.set $l13
                br $B2
              end
            end
            local.get $l12
            i32.wrap_i64
            local.get $l3
            i32.load offset=8 align=1
            i32.add
            i64.load align=1
            local.tee $l8
            i64.const 16
            i64.shl
            i64.const 16
            i64.shr_s
            local.get $l8
            i64.ne
            if $I19
              i64.const 85899411463
              local.set $l13
              br $B2
            end
            local.get $l12
            i64.const 8
            i64.add
            local.set $l7
            i32.const 20
            local.set $l15
            local.get $l8
            local.get $l2
            i64.sub
            local.set $l16
            local.get $l8
            local.set $l2
            i64.const 8
            local.set $l13
            br $B2
          end
          local.get $l11
          i64.extend_i32_u
          local.set $l19
          i64.const 1
          local.set $l20
          br $B1
        end
        local.get $l17
        i64.extend_i32_u
        local.set $l19
        i64.const 2
        local.set $l20
        br $B1
      end
      local.get $l18
      i64.extend_i32_u
      local.set $l19
      i64.const 3
      local.set $l20
      br $B1
    end
    local.get $l19
    i32.wrap_i64
    local.tee $l3
    local.get $l20
    i32.wrap_i64
    local.tee $l10
    i32.sub
    local.tee $l21
    i64.extend_i32_s
    local.set $l4
    local.get $l3
    i32.const -1
    i32.xor
    local.tee $l3
    local.get $l10
    i32.and
    local.get $l3
    local.get $l10
    i32.or
    local.get $l21
    i32.and
    i32.or
    local.tee $l21
    i32.const -1073741824
    i32.and
    local.get $l21
    i32.const 8
    i32.and
    i32.or
    local.set $l5
    local.get $l2
    local.get $l13
    i64.const 32
    i64.shr_s
    i64.add
    local.set $l8
    local.get $p0
    local.get $l9
    local.get $l13
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.tee $l9
    i32.store offset=168 align=1
    local.get $p0
    local.get $l4
    i64.store offset=152 align=1
    local.get $p0
    local.get $l5
    i32.store offset=160 align=1
    local.get $p0
    local.get $l6
    i64.store align=1
    local.get $p0
    local.get $l7
    i64.store offset=32 align=1
    local.get $l13
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 3
    i32.and
    if $I20
      local.get $p0
      local.get $l8
      return_call $env.goto_interpreter
    end
    local.get $p0
    local.get $l8
    local.get $l15
    local.get $l16
    return_call $env.goto_from
    unreachable)
  (export "r0" (func $r0)))
