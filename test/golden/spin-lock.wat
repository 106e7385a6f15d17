;; 494 nodes, 25 locals, 1302 bytes
;;
;; 000  mov eax, 0x1
;; 005  xchg dword ptr [rdi], eax
;; 007  test eax, eax
;; 009  je 0x14
;; 00b  pause
;; 00d  cmp dword ptr [rdi], 0x0
;; 010  jne 0xb
;; 012  jmp 0x0
;; 014  ret

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
    (local $l2 i64) (local $l3 i32) (local $l4 i64) (local $l5 i32) (local $l6 i64) (local $l7 i64) (local $l8 i64) (local $l9 i32) (local $l10 i32) (local $l11 i64) (local $l12 i64) (local $l13 i32) (local $l14 i64) (local $l15 i64) (local $l16 i32) (local $l17 i32) (local $l18 i64) (local $l19 i32) (local $l20 i64) (local $l21 i32) (local $l22 i32) (local $l23 i32) (local $l24 i32) (local $l25 i32) (local $l26 i32)
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
    i32.const 9
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
          local.get $l4
          local.set $l11
          local.get $l5
          i64.extend_i32_u
          local.set $l12
          i32.const 0
          local.set $l13
          loop $L4
            i64.const 1
            local.set $l6
            local.get $l3
            local.get $l8
            local.tee $l14
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.tee $l10
            i64.load offset=65536 align=1
            local.get $l14
            i64.const 3
            i64.add
            i64.const -4096
            i64.and
            i64.ne
            if $I5
              local.get $p0
              local.get $l14
              i32.const 4
              call $env.enter_write
              i32.eqz
              if $I6
                i64.const 21474902017
                local.set $l15
                br $B1
              end
            end
            local.get $l14
            i32.wrap_i64
            local.get $l10
            i32.load offset=65544 align=1
            i32.add
            local.tee $l10
            i32.load align=1
            local.set $l16
            local.get $l10
            local.get $l6
            i32.wrap_i64
            i32.store align=1
            local.get $l16
            i64.extend_i32_u
            local.set $l6
            local.get $l16
            local.get $l16
            i32.and
            local.tee $l17
            i32.eqz
            if $I7
              local.get $l3
              local.get $l7
              local.tee $l14
              i32.wrap_i64
              i32.const 8
              i32.shr_u
              i32.const 65520
              i32.and
              i32.add
              local.tee $l16
              i64.load align=1
              local.get $l14
              i64.const 7
              i64.add
              i64.const -4096
              i64.and
              i64.ne
              if $I8
                local.get $p0
                local.get $l14
                i32.const 8
                call $env.enter_read
                i32.eqz
                if $I9
                  i64.const 85899411460
                  local.set $l15
                  br $B3
                end
              end
              local.get $l14
              i32.wrap_i64
              local.get $l16
              i32.load offset=8 align=1
              i32.add
              i64.load align=1
              local.tee $l18
              i64.const 16
              i64.shl
              i64.const 16
              i64.shr_s
              local.get $l18
              i64.ne
              if $I10
                i64.const 85899411460
                local.set $l15
                br $B3
              end
              local.get $l14
              i64.const 8
              i64.add
              local.set $l7
              i32.const 20
              local.set $l19
              local.get $l18
              local.get $l2
              i64.sub
              local.set $l20
              local.get $l18
              local.set $l2
              i64.const 5
              local.set $l15
              br $B3
            end
            local.get $l9
            i32.const 4
            i32.sub
            local.set $l9
            local.get $l17
            i64.extend_i32_s
            local.set $l11
            i64.const 0
            local.set $l12
            i32.const 0
            local.set $l13
            loop $L11
              local.get $l3
              local.get $l8
              local.tee $l18
              i32.wrap_i64
              i32.const 8
              i32.shr_u
              i32.const 65520
              i32.and
              i32.add
              local.tee $l16
              i64.load align=1
              local.get $l18
              i64.const 3
              i64.add
              i64.const -4096
              i64.and
              i64.ne
              if $I12
                local.get $p0
                local.get $l18
                i32.const 4
                call $env.enter_read
                i32.eqz
                if $I13
                  i64.const 55834640385
                  local.set $l15
                  br $B1
                end
              end
              local.get $l9
              i32.const 3
              i32.sub
              local.set $l9
              local.get $l18
              i32.wrap_i64
              local.get $l16
              i32.load offset=8 align=1
              i32.add
              i32.load align=1
              local.set $l21
              local.get $l22
              local.tee $l16
              i32.const 1
              i32.add
              local.set $l22
              local.get $l21
              i32.const 0
              i32.ne
              local.tee $l23
              local.get $l16
              i32.const 3
              i32.and
              i32.eqz
              i32.and
              if $I14
                local.get $l9
                i32.const 9
                i32.sub
                i32.const 3
                i32.div_s
                local.set $l24
                local.get $l18
                i32.wrap_i64
                local.get $l3
                local.get $l18
                i32.wrap_i64
                i32.const 8
                i32.shr_u
                i32.const 65520
                i32.and
                i32.add
                local.tee $l16
                i32.load offset=8 align=1
                i32.add
                local.set $l10
                i32.const 2147483647
                i32.const 0
                local.get $l16
                i64.load align=1
                local.get $l18
                i64.const -4096
                i64.and
                i64.eq
                i32.const 4092
                local.get $l18
                i32.wrap_i64
                i32.const 4095
                i32.and
                i32.sub
                i32.const 0
                i32.ge_s
                i32.and
                select
                local.tee $l16
                local.get $l24
                local.tee $l25
                local.get $l16
                local.get $l25
                i32.lt_s
                select
                local.tee $l24
                i32.const 1
                i32.gt_s
                if $I15
                  block $B16
                    loop $L17
                      local.get $l9
                      i32.const 3
                      i32.sub
                      local.set $l9
                      local.get $l24
                      i32.const 1
                      i32.sub
                      local.set $l24
                      local.get $l10
                      i32.load align=1
                      local.tee $l25
                      drop
                      local.get $l25
                      local.set $l21
                      local.get $l25
                      i32.const 0
                      i32.ne
                      i32.eqz
                      if $I18
                        i32.const 0
                        local.set $l23
                        br $B16
                      end
                      local.get $l24
                      i32.const 0
                      i32.gt_s
                      br_if $L17
                    end
                  end
                end
              end
              local.get $l21
              local.set $l26
              local.get $l23
              if $I19
                local.get $l9
                i32.const 9
                i32.lt_s
                if $I20
                  i64.const 47244771328
                  local.set $l15
                  br $B2
                end
                local.get $l26
                i64.extend_i32_u
                local.set $l11
                i64.const 0
                local.set $l12
                i32.const 10
                local.set $l13
                br $L11
              end
              local.get $l9
              i32.const 1
              i32.sub
              local.tee $l9
              i32.const 9
              i32.lt_s
              if $I21
                i64.const 393216
                local.set $l15
                br $B2
              end
              local.get $l26
              i64.extend_i32_u
              local.set $l11
              i64.const 0
              local.set $l12
              i32.const 10
              local.set $l13
              br $L4
            end
          end
        end
        local.get $l17
        i64.extend_i32_s
        local.set $l11
        i64.const 0
        local.set $l12
        i32.const 0
        local.set $l13
        br $B1
      end
      local.get $l26
      i64.extend_i32_u
      local.set $l11
      i64.const 0
      local.set $l12
      i32.const 10
      local.set $l13
      br $B1
    end
    local.get $l13
    i32.eqz
    if $I22
      local.get $l11
      local.set $l4
      local.get $l12
      i32.wrap_i64
      local.set $l5
    else
      local.get $l11
      i32.wrap_i64
      local.tee $l10
      i64.extend_i32_s
      local.set $l4
      local.get $l10
      local.get $l12
      i32.wrap_i64
      local.tee $l25
      i32.add
      i32.const -1
      i32.xor
      local.tee $l16
      local.get $l25
      i32.and
      local.get $l16
      local.get $l25
      i32.or
      local.get $l10
      i32.and
      i32.or
      local.tee $l10
      i32.const -1073741824
      i32.and
      local.get $l10
      i32.const 8
      i32.and
      i32.or
      local.set $l5
    end
    local.get $l2
    local.get $l15
    i64.const 32
    i64.shr_s
    i64.add
    local.set $l8
    local.get $p0
    local.get $l9
    local.get $l15
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
    local.get $l15
    i32.wrap_i64
    local.tee $l10
    i32.const 16
    i32.shr_u
    i32.const 3
    i32.and
    local.tee $l25
    i32.const 2
    i32.ge_u
    if $I23
      local.get $p1
      i32.load offset=32 align=1
      local.get $l10
      i32.const 18
      i32.shr_u
      i32.const 8
      i32.mul
      i32.add
      local.tee $l10
      i32.load align=1
      local.tee $l16
      if $I24
        local.get $l25
        i32.const 2
        i32.eq
        if $I25
          local.get $p0
          local.get $l16
          local.get $l16
          i32.load align=1
          return_call_indirect (type $t3)
        end
        local.get $l3
        local.get $l8
        i64.const -4096
        i64.and
        local.tee $l18
        i32.wrap_i64
        i32.const 8
        i32.shr_u
        i32.const 65520
        i32.and
        i32.add
        local.tee $l3
        i64.load offset=131072 align=1
        local.get $l18
        i64.eq
        local.get $l18
        i32.wrap_i64
        local.get $l3
        i32.load offset=131080 align=1
        i32.add
        local.get $l10
        i32.load offset=4 align=1
        i32.eq
        i32.and
        if $I26
          local.get $p0
          local.get $l18
          i64.store offset=144 align=1
          local.get $p0
          local.get $l16
          local.get $l16
          i32.load align=1
          return_call_indirect (type $t3)
        end
      end
      local.get $p0
      local.get $l8
      local.get $l10
      return_call $env.goto_link
    end
    local.get $l25
    if $I27
      local.get $p0
      local.get $l8
      return_call $env.goto_interpreter
    end
    local.get $p0
    local.get $l8
    local.get $l19
    local.get $l20
    return_call $env.goto_from
    unreachable)
  (export "r0" (func $r0)))
