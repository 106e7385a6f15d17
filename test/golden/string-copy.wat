;; 513 nodes, 26 locals, 1309 bytes
;;
;; 000  mov al, byte ptr [rsi]
;; 002  mov byte ptr [rdi], al
;; 004  inc rsi
;; 007  inc rdi
;; 00a  test al, al
;; 00c  jne 0x0
;; 00e  ret

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
    (local $l2 i32) (local $l3 i64) (local $l4 i32) (local $l5 i64) (local $l6 i32) (local $l7 i64) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i32) (local $l12 i64) (local $l13 i64) (local $l14 i64) (local $l15 i64) (local $l16 i64) (local $l17 i32) (local $l18 i32) (local $l19 i32) (local $l20 i32) (local $l21 i32) (local $l22 i32) (local $l23 i32) (local $l24 i32) (local $l25 i32) (local $l26 i64) (local $l27 i32)
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
    i64.load offset=32 align=1
    local.set $l8
    local.get $p0
    i64.load offset=48 align=1
    local.set $l9
    local.get $p0
    i64.load offset=56 align=1
    local.set $l10
    local.get $l2
    i32.const 7
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
        local.get $l5
        local.set $l12
        local.get $l6
        i64.extend_i32_u
        local.set $l13
        loop $L3
          local.get $l4
          local.get $l9
          local.tee $l14
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l11
          i64.load align=1
          local.get $l14
          i64.const -4096
          i64.and
          i64.ne
          if $I4
            local.get $p0
            local.get $l14
            i32.const 1
            call $env.enter_read
            i32.eqz
            if $I5
              i64.const 65536
              local.set $l15
              br $B1
            end
          end
          local.get $l7
          i64.const -256
          i64.and
          local.get $l14
          i32.wrap_i64
          local.get $l11
          i32.load offset=8 align=1
          i32.add
          i32.load8_u
          i64.extend_i32_u
          i64.or
          local.tee $l7
          i32.wrap_i64
          i32.const 255
          i32.and
          local.set $l11
          local.get $l4
          local.get $l10
          local.tee $l16
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l17
          i64.load offset=65536 align=1
          local.get $l16
          i64.const -4096
          i64.and
          i64.ne
          if $I6
            local.get $p0
            local.get $l16
            i32.const 1
            call $env.enter_write
            i32.eqz
            if $I7
              i64.const 8590000129
              local.set $l15
              br $B1
            end
          end
          local.get $l16
          i32.wrap_i64
          local.get $l17
          i32.load offset=65544 align=1
          i32.add
          local.get $l11
          i32.store8
          local.get $l14
          i64.const 1
          i64.add
          local.set $l9
          local.get $l16
          i64.const 1
          i64.add
          local.set $l10
          local.get $l2
          i32.const 6
          i32.sub
          local.set $l2
          local.get $l7
          i32.wrap_i64
          i32.const 255
          i32.and
          local.get $l7
          i32.wrap_i64
          i32.const 255
          i32.and
          i32.and
          local.set $l18
          local.get $l19
          local.tee $l11
          i32.const 1
          i32.add
          local.set $l19
          local.get $l18
          i32.const 0
          i32.ne
          local.tee $l20
          local.get $l11
          i32.const 3
          i32.and
          i32.eqz
          i32.and
          if $I8
            local.get $l9
            i32.wrap_i64
            local.get $l4
            local.get $l9
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.tee $l11
            i32.load offset=8 align=1
            i32.add
            local.set $l21
            i32.const 4095
            local.get $l9
            i32.wrap_i64
            i32.const 4095
            i32.and
            i32.sub
            local.tee $l17
            i32.const 1
            i32.add
            i32.const 0
            local.get $l11
            i64.load align=1
            local.get $l9
            i64.const -4096
            i64.and
            i64.eq
            local.get $l17
            i32.const 0
            i32.ge_s
            i32.and
            select
            local.tee $l17
            local.get $l2
            i32.const 7
            i32.sub
            i32.const 6
            i32.div_s
            local.tee $l22
            local.tee $l11
            local.get $l17
            local.get $l11
            i32.lt_s
            select
            local.set $l22
            local.get $l10
            i32.wrap_i64
            local.get $l4
            local.get $l10
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.tee $l11
            i32.load offset=65544 align=1
            i32.add
            local.set $l23
            i32.const 4095
            local.get $l10
            i32.wrap_i64
            i32.const 4095
            i32.and
            i32.sub
            local.tee $l17
            i32.const 1
            i32.add
            i32.const 0
            local.get $l11
            i64.load offset=65536 align=1
            local.get $l10
            i64.const -4096
            i64.and
            i64.eq
            local.get $l17
            i32.const 0
            i32.ge_s
            i32.and
            select
            local.tee $l17
            local.get $l22
            local.tee $l11
            local.get $l17
            local.get $l11
            i32.lt_s
            select
            local.tee $l22
            i32.const 1
            i32.gt_s
            if $I9
              block $B10
                loop $L11
                  local.get $l23
                  local.get $l7
                  i64.const -256
                  i64.and
                  local.get $l21
                  i32.load8_u
                  i64.extend_i32_u
                  i64.or
                  local.tee $l7
                  i32.wrap_i64
                  i32.const 255
                  i32.and
                  i32.store8
                  local.get $l9
                  i64.const 1
                  i64.add
                  local.set $l9
                  local.get $l10
                  i64.const 1
                  i64.add
                  local.set $l10
                  local.get $l2
                  i32.const 6
                  i32.sub
                  local.set $l2
                  local.get $l21
                  i32.const 1
                  i32.add
                  local.set $l21
                  local.get $l23
                  i32.const 1
                  i32.add
                  local.set $l23
                  local.get $l22
                  i32.const 1
                  i32.sub
                  local.set $l22
                  local.get $l7
                  i32.wrap_i64
                  i32.const 255
                  i32.and
                  local.get $l7
                  i32.wrap_i64
                  i32.const 255
                  i32.and
                  i32.and
                  local.tee $l18
                  i32.const 0
                  i32.ne
                  i32.eqz
                  if $I12
                    i32.const 0
                    local.set $l20
                    br $B10
                  end
                  local.get $l22
                  i32.const 0
                  i32.gt_s
                  br_if $L11
                end
              end
            end
          end
          local.get $l18
          local.set $l24
          local.get $l20
          if $I13
            local.get $l2
            i32.const 7
            i32.lt_s
            if $I14
              i64.const 131072
              local.set $l15
              br $B2
            end
            local.get $l24
            i32.extend8_s
            i64.extend_i32_s
            local.set $l12
            i64.const 0
            local.set $l13
            br $L3
          end
          local.get $l4
          local.get $l8
          local.tee $l16
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l11
          i64.load align=1
          local.get $l16
          i64.const 7
          i64.add
          i64.const -4096
          i64.and
          i64.ne
          if $I15
            local.get $p0
            local.get $l16
            i32.const 8
            call $env.enter_read
            i32.eqz
            if $I16
              i64.const 60129607680
              local.set $l15
              br $B2
            end
          end
          local.get $l16
          i32.wrap_i64
          local.get $l11
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
          if $I17
            i64.const 60129607680
            local.set $l15
            br $B2
          end
          local.get $l16
          i64.const 8
          i64.add
          local.set $l8
          i32.const 14
          local.set $l25
          local.get $l14
          local.get $l3
          i64.sub
          local.set $l26
          local.get $l14
          local.set $l3
          i64.const 1
          local.set $l15
          br $B2
        end
      end
      local.get $l24
      i32.extend8_s
      i64.extend_i32_s
      local.set $l12
      i64.const 0
      local.set $l13
      br $B1
    end
    local.get $l12
    local.set $l5
    local.get $l13
    i32.wrap_i64
    local.set $l6
    local.get $l3
    local.get $l15
    i64.const 32
    i64.shr_s
    i64.add
    local.set $l14
    local.get $p0
    local.get $l2
    local.get $l15
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
    i64.store offset=32 align=1
    local.get $p0
    local.get $l9
    i64.store offset=48 align=1
    local.get $p0
    local.get $l10
    i64.store offset=56 align=1
    local.get $l15
    i32.wrap_i64
    local.tee $l11
    i32.const 16
    i32.shr_u
    i32.const 3
    i32.and
    local.tee $l17
    i32.const 2
    i32.ge_u
    if $I18
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
      local.tee $l27
      if $I19
        local.get $l17
        i32.const 2
        i32.eq
        if $I20
          local.get $p0
          local.get $l27
          local.get $l27
          i32.load align=1
          return_call_indirect (type $t3)
        end
        local.get $l4
        local.get $l14
        i64.const -4096
        i64.and
        local.tee $l16
        i32.wrap_i64
        i32.const 8
        i32.shr_u
        i32.const 65520
        i32.and
        i32.add
        local.tee $l4
        i64.load offset=131072 align=1
        local.get $l16
        i64.eq
        local.get $l16
        i32.wrap_i64
        local.get $l4
        i32.load offset=131080 align=1
        i32.add
        local.get $l11
        i32.load offset=4 align=1
        i32.eq
        i32.and
        if $I21
          local.get $p0
          local.get $l16
          i64.store offset=144 align=1
          local.get $p0
          local.get $l27
          local.get $l27
          i32.load align=1
          return_call_indirect (type $t3)
        end
      end
      local.get $p0
      local.get $l14
      local.get $l11
      return_call $env.goto_link
    end
    local.get $l17
    if $I22
      local.get $p0
      local.get $l14
      return_call $env.goto_interpreter
    end
    local.get $p0
    local.get $l14
    local.get $l25
    local.get $l26
    return_call $env.goto_from
    unreachable)
  (export "r0" (func $r0)))
