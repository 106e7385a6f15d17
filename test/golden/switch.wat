;; 394 nodes, 21 locals, 1077 bytes
;;
;; 000  movsxd rax, dword ptr [rsi+rdi*4]
;; 004  add rax, rsi
;; 007  jmp rax
;; 009  add ebx, 0x1
;; 00c  jmp 0x1e
;; 00e  add ebx, 0x2
;; 011  jmp 0x1e
;; 013  add ebx, 0x4
;; 016  jmp 0x1e
;; 018  add ebx, 0x8
;; 01b  jmp 0x1e
;; 01d  nop
;; 01e  mov eax, ebx
;; 020  ret

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
    (local $l2 i32) (local $l3 i64) (local $l4 i32) (local $l5 i64) (local $l6 i32) (local $l7 i64) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i64) (local $l12 i32) (local $l13 i64) (local $l14 i64) (local $l15 i64) (local $l16 i64) (local $l17 i64) (local $l18 i64) (local $l19 i32) (local $l20 i32) (local $l21 i64) (local $l22 i32)
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
    i64.load offset=48 align=1
    local.set $l10
    local.get $p0
    i64.load offset=56 align=1
    local.set $l11
    local.get $l2
    i32.const 13
    i32.lt_s
    if $I0
      local.get $p0
      local.get $p1
      i32.const 48
      i32.add
      local.tee $l12
      local.get $l12
      i32.load align=1
      return_call_indirect (type $t3)
    end
    block $B1
      block $B2
        block $B3
          block $B4
            local.get $l4
            local.get $l10
            local.get $l11
            i64.const 2
            i64.shl
            i64.add
            local.tee $l11
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.tee $l12
            i64.load align=1
            local.get $l11
            i64.const 3
            i64.add
            i64.const -4096
            i64.and
            i64.ne
            if $I5
              local.get $p0
              local.get $l11
              i32.const 4
              call $env.enter_read
              i32.eqz
              if $I6
                i64.const 65536
                local.set $l13
                br $B1
              end
            end
            local.get $l11
            i32.wrap_i64
            local.get $l12
            i32.load offset=8 align=1
            i32.add
            i32.load align=1
            i64.extend_i32_s
            local.tee $l7
            local.get $l10
            local.tee $l14
            i64.add
            local.tee $l15
            local.set $l7
            local.get $l15
            i64.const 16
            i64.shl
            i64.const 16
            i64.shr_s
            local.get $l15
            i64.ne
            if $I7
              i64.const 30064836610
              local.set $l13
              br $B3
            end
            block $B8
              block $B9
                block $B10
                  block $B11
                    block $B12
                      local.get $l15
                      local.get $l3
                      i64.sub
                      local.tee $l16
                      i32.wrap_i64
                      i32.const 1073741824
                      i32.mul
                      i32.const 30
                      i32.shr_u
                      br_table $B12 $B9 $B10 $B11 $B8
                    end
                    local.get $l16
                    i64.const 24
                    i64.ne
                    br_if $B8
                    local.get $l8
                    i32.wrap_i64
                    i32.const 8
                    i32.add
                    local.tee $l12
                    i64.extend_i32_u
                    local.set $l8
                    local.get $l2
                    i32.const 5
                    i32.sub
                    local.set $l2
                    local.get $l12
                    i64.extend_i32_u
                    local.set $l17
                    i64.const 8
                    local.set $l18
                    i32.const 14
                    local.set $l19
                    br $B4
                  end
                  local.get $l16
                  i64.const 19
                  i64.ne
                  br_if $B8
                  local.get $l8
                  i32.wrap_i64
                  i32.const 4
                  i32.add
                  local.tee $l12
                  i64.extend_i32_u
                  local.set $l8
                  local.get $l2
                  i32.const 5
                  i32.sub
                  local.set $l2
                  local.get $l12
                  i64.extend_i32_u
                  local.set $l17
                  i64.const 4
                  local.set $l18
                  i32.const 14
                  local.set $l19
                  br $B4
                end
                local.get $l16
                i64.const 14
                i64.ne
                br_if $B8
                local.get $l8
                i32.wrap_i64
                i32.const 2
                i32.add
                local.tee $l12
                i64.extend_i32_u
                local.set $l8
                local.get $l2
                i32.const 5
                i32.sub
                local.set $l2
                local.get $l12
                i64.extend_i32_u
                local.set $l17
                i64.const 2
                local.set $l18
                i32.const 14
                local.set $l19
                br $B4
              end
              local.get $l16
              i64.const 9
              i64.ne
              br_if $B8
              local.get $l8
              i32.wrap_i64
              i32.const 1
              i32.add
              local.tee $l12
              i64.extend_i32_u
              local.set $l8
              local.get $l2
              i32.const 5
              i32.sub
              local.set $l2
              local.get $l12
              i64.extend_i32_u
              local.set $l17
              i64.const 1
              local.set $l18
              i32.const 14
              local.set $l19
              br $B4
            end
            i32.const 7
            local.set $l20
            local.get $l16
            local.set $l21
            local.get $l15
            local.set $l3
            i64.const 3
            local.set $l13
            br $B3
          end
          local.get $l8
          i32.wrap_i64
          i64.extend_i32_u
          local.set $l7
          local.get $l4
          local.get $l9
          local.tee $l10
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l4
          i64.load align=1
          local.get $l10
          i64.const 7
          i64.add
          i64.const -4096
          i64.and
          i64.ne
          if $I13
            local.get $p0
            local.get $l10
            i32.const 8
            call $env.enter_read
            i32.eqz
            if $I14
              i64.const 137439019009
              local.set $l13
              br $B2
            end
          end
          local.get $l10
          i32.wrap_i64
          local.get $l4
          i32.load offset=8 align=1
          i32.add
          i64.load align=1
          local.tee $l11
          i64.const 16
          i64.shl
          i64.const 16
          i64.shr_s
          local.get $l11
          i64.ne
          if $I15
            i64.const 137439019009
            local.set $l13
            br $B2
          end
          local.get $l10
          i64.const 8
          i64.add
          local.set $l9
          i32.const 32
          local.set $l20
          local.get $l11
          local.get $l3
          i64.sub
          local.set $l21
          local.get $l11
          local.set $l3
          i64.const 2
          local.set $l13
          br $B2
        end
        local.get $l15
        local.set $l17
        local.get $l14
        local.set $l18
        i32.const 15
        local.set $l19
        br $B2
      end
      local.get $l19
      i32.const 14
      i32.eq
      if $I16
        local.get $l17
        i32.wrap_i64
        local.tee $l4
        i64.extend_i32_s
        local.set $l5
        local.get $l4
        local.get $l18
        i32.wrap_i64
        local.tee $l12
        i32.sub
        local.tee $l22
        local.get $l12
        i32.and
        local.get $l22
        local.get $l12
        i32.or
        local.get $l4
        i32.const -1
        i32.xor
        i32.and
        i32.or
        local.tee $l4
        i32.const -1073741824
        i32.and
        local.get $l4
        i32.const 8
        i32.and
        i32.or
        local.set $l6
      else
        local.get $l17
        local.tee $l5
        local.get $l18
        local.tee $l11
        i64.sub
        local.tee $l10
        local.get $l11
        i64.and
        local.get $l10
        local.get $l11
        i64.or
        local.get $l5
        i64.const -1
        i64.xor
        i64.and
        i64.or
        local.tee $l11
        i64.const 32
        i64.shr_u
        i32.wrap_i64
        i32.const -1073741824
        i32.and
        local.get $l11
        i32.wrap_i64
        i32.const 8
        i32.and
        i32.or
        local.set $l6
      end
    end
    local.get $l3
    local.get $l13
    i64.const 32
    i64.shr_s
    i64.add
    local.set $l11
    local.get $p0
    local.get $l2
    local.get $l13
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
    local.get $l13
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 3
    i32.and
    if $I17
      local.get $p0
      local.get $l11
      return_call $env.goto_interpreter
    end
    local.get $p0
    local.get $l11
    local.get $l20
    local.get $l21
    return_call $env.goto_from
    unreachable)
  (export "r0" (func $r0)))
