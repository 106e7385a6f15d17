;; 491 nodes, 21 locals, 1323 bytes
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
    (local $l2 i32) (local $l3 i64) (local $l4 i32) (local $l5 i64) (local $l6 i32) (local $l7 i64) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i32) (local $l12 i64) (local $l13 i64) (local $l14 i64) (local $l15 i32) (local $l16 i64) (local $l17 i64) (local $l18 i64) (local $l19 i32) (local $l20 i32) (local $l21 i32) (local $l22 i32)
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
    i64.load offset=24 align=1
    local.set $l8
    local.get $p0
    i64.load offset=32 align=1
    local.set $l9
    local.get $p0
    i64.load offset=56 align=1
    local.set $l10
    local.get $l2
    i32.const 9
    i32.lt_s
    if $I0
      local.get $p0
      local.get $p1
      i32.const 48
      i32.add
      local.tee $l11
      local.get $l11
      i32.load align=1
      return_call_indirect (type $t3)
    end
    block $B1
      block $B2
        block $B3
          i64.const 5
          local.set $l10
          local.get $l3
          i64.const 10
          i64.add
          local.set $l12
          local.get $l4
          local.get $l9
          i64.const 8
          i64.sub
          local.tee $l13
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l11
          i64.load offset=65536 align=1
          local.get $l13
          i64.const 7
          i64.add
          i64.const -4096
          i64.and
          i64.ne
          if $I4
            local.get $p0
            local.get $l13
            i32.const 8
            call $env.enter_write
            i32.eqz
            if $I5
              i64.const 21474902017
              local.set $l14
              br $B1
            end
          end
          local.get $l13
          i32.wrap_i64
          local.get $l11
          i32.load offset=65544 align=1
          i32.add
          local.get $l12
          i64.store align=1
          local.get $l4
          local.get $l13
          local.tee $l9
          i64.const 8
          i64.sub
          local.tee $l13
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l11
          i64.load offset=65536 align=1
          local.get $l13
          i64.const 7
          i64.add
          i64.const -4096
          i64.and
          i64.ne
          if $I6
            local.get $p0
            local.get $l13
            i32.const 8
            call $env.enter_write
            i32.eqz
            if $I7
              i64.const 60129607682
              local.set $l14
              br $B1
            end
          end
          local.get $l13
          i32.wrap_i64
          local.get $l11
          i32.load offset=65544 align=1
          i32.add
          local.get $l8
          i64.store align=1
          local.get $l13
          local.set $l9
          local.get $l10
          i32.wrap_i64
          i64.extend_i32_u
          local.tee $l8
          local.get $l8
          i64.add
          i32.wrap_i64
          i64.extend_i32_u
          local.set $l7
          local.get $l4
          local.get $l13
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l11
          i64.load align=1
          local.get $l13
          i64.const 7
          i64.add
          i64.const -4096
          i64.and
          i64.ne
          if $I8
            local.get $p0
            local.get $l13
            i32.const 8
            call $env.enter_read
            i32.eqz
            if $I9
              i64.const 85899411461
              local.set $l14
              br $B1
            end
          end
          local.get $l13
          i32.wrap_i64
          local.get $l11
          i32.load offset=8 align=1
          i32.add
          i64.load align=1
          local.set $l8
          local.get $l4
          local.get $l13
          i64.const 8
          i64.add
          local.tee $l9
          local.tee $l13
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l11
          i64.load align=1
          local.get $l13
          i64.const 7
          i64.add
          i64.const -4096
          i64.and
          i64.ne
          if $I10
            local.get $p0
            local.get $l13
            i32.const 8
            call $env.enter_read
            i32.eqz
            if $I11
              i64.const 90194378758
              local.set $l14
              br $B1
            end
          end
          local.get $l13
          i32.wrap_i64
          local.get $l11
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
            i64.const 90194378758
            local.set $l14
            br $B1
          end
          local.get $l13
          i64.const 8
          i64.add
          local.set $l9
          local.get $l12
          local.get $l3
          i64.sub
          local.tee $l13
          i64.const 10
          i64.ne
          if $I13
            i32.const 21
            local.set $l15
            local.get $l13
            local.set $l16
            local.get $l12
            local.set $l3
            i64.const 7
            local.set $l14
            br $B1
          end
          local.get $l2
          i32.const 7
          i32.sub
          local.set $l2
          local.get $l5
          local.set $l17
          local.get $l6
          i64.extend_i32_u
          local.set $l18
          i32.const 0
          local.set $l19
          loop $L14
            local.get $l7
            i32.wrap_i64
            i32.const 1
            i32.add
            local.tee $l20
            i64.extend_i32_u
            local.set $l7
            local.get $l4
            local.get $l9
            local.tee $l12
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.tee $l11
            i64.load align=1
            local.get $l12
            i64.const 7
            i64.add
            i64.const -4096
            i64.and
            i64.ne
            if $I15
              local.get $p0
              local.get $l12
              i32.const 8
              call $env.enter_read
              i32.eqz
              if $I16
                i64.const 55834640385
                local.set $l14
                br $B3
              end
            end
            local.get $l12
            i32.wrap_i64
            local.get $l11
            i32.load offset=8 align=1
            i32.add
            i64.load align=1
            local.tee $l13
            i64.const 16
            i64.shl
            i64.const 16
            i64.shr_s
            local.get $l13
            i64.ne
            if $I17
              i64.const 55834640385
              local.set $l14
              br $B3
            end
            local.get $l12
            i64.const 8
            i64.add
            local.set $l9
            local.get $l13
            local.get $l3
            i64.sub
            local.tee $l12
            i64.const 10
            i64.eq
            if $I18
              local.get $l2
              i32.const 2
              i32.sub
              local.tee $l2
              i32.const 9
              i32.lt_s
              if $I19
                i64.const 42949804032
                local.set $l14
                br $B3
              end
              local.get $l20
              i64.extend_i32_u
              local.set $l17
              i64.const 1
              local.set $l18
              i32.const 14
              local.set $l19
              br $L14
            end
            i32.const 13
            local.set $l15
            local.get $l12
            local.set $l16
            local.get $l13
            local.set $l3
            i64.const 2
            local.set $l14
            br $B3
          end
        end
        local.get $l20
        i64.extend_i32_u
        local.set $l17
        i64.const 1
        local.set $l18
        i32.const 14
        local.set $l19
        br $B2
      end
      local.get $l19
      i32.eqz
      if $I20
        local.get $l17
        local.set $l5
        local.get $l18
        i32.wrap_i64
        local.set $l6
      else
        local.get $l17
        i32.wrap_i64
        local.tee $l11
        i64.extend_i32_s
        local.set $l5
        local.get $l11
        local.get $l18
        i32.wrap_i64
        local.tee $l21
        i32.sub
        local.tee $l22
        local.get $l21
        i32.and
        local.get $l22
        local.get $l21
        i32.or
        local.get $l11
        i32.const -1
        i32.xor
        i32.and
        i32.or
        local.tee $l11
        i32.const -1073741824
        i32.and
        local.get $l11
        i32.const 8
        i32.and
        i32.or
        local.set $l6
      end
    end
    local.get $l3
    local.get $l14
    i64.const 32
    i64.shr_s
    i64.add
    local.set $l13
    local.get $p0
    local.get $l2
    local.get $l14
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.tee $l2
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
    local.get $l8
    i64.store offset=24 align=1
    local.get $p0
    local.get $l9
    i64.store offset=32 align=1
    local.get $p0
    local.get $l10
    i64.store offset=56 align=1
    local.get $l14
    i32.wrap_i64
    local.tee $l11
    i32.const 16
    i32.shr_u
    i32.const 3
    i32.and
    local.tee $l21
    i32.const 2
    i32.ge_u
    if $I21
      local.get $p1
      i32.load offset=32 align=1
      local.get $l11
      i32.const 18
      i32.shr_u
      i32.const 8
      i32.mul
      i32.add
      local.tee $l11
      i32.load align=1
      local.tee $l22
      if $I22
        local.get $l21
        i32.const 2
        i32.eq
        if $I23
          local.get $p0
          local.get $l22
          local.get $l22
          i32.load align=1
          return_call_indirect (type $t3)
        end
        local.get $l4
        local.get $l13
        i64.const -4096
        i64.and
        local.tee $l12
        i32.wrap_i64
        i32.const 8
        i32.shr_u
        i32.const 65520
        i32.and
        i32.add
        local.tee $l4
        i64.load offset=131072 align=1
        local.get $l12
        i64.eq
        local.get $l12
        i32.wrap_i64
        local.get $l4
        i32.load offset=131080 align=1
        i32.add
        local.get $l11
        i32.load offset=4 align=1
        i32.eq
        i32.and
        if $I24
          local.get $p0
          local.get $l12
          i64.store offset=144 align=1
          local.get $p0
          local.get $l22
          local.get $l22
          i32.load align=1
          return_call_indirect (type $t3)
        end
      end
      local.get $p0
      local.get $l13
      local.get $l11
      return_call $env.goto_link
    end
    local.get $l21
    if $I25
      local.get $p0
      local.get $l13
      return_call $env.goto_interpreter
    end
    local.get $p0
    local.get $l13
    local.get $l15
    local.get $l16
    return_call $env.goto_from
    unreachable)
  (export "r0" (func $r0)))
