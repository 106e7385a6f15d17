;; 361 nodes, 27 locals, 977 bytes
;;
;; 000  add rax, rcx
;; 003  dec rcx
;; 006  jne 0x0
;; 008  hlt

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
    (local $l2 i64) (local $l3 i32) (local $l4 i64) (local $l5 i32) (local $l6 i64) (local $l7 i64) (local $l8 i32) (local $l9 i32) (local $l10 i64) (local $l11 i64) (local $l12 i32) (local $l13 i32) (local $l14 i64) (local $l15 i64) (local $l16 i64) (local $l17 i64) (local $l18 i32) (local $l19 i32) (local $l20 i32) (local $l21 i32) (local $l22 i64) (local $l23 i64) (local $l24 i64) (local $l25 i64) (local $l26 i64) (local $l27 i64) (local $l28 i32)
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
    i64.load offset=8 align=1
    local.set $l7
    local.get $p0
    i32.load offset=168 align=1
    local.tee $l8
    i32.const 3
    i32.lt_s
    if $I0
      local.get $p0
      local.get $p1
      i32.const 48
      i32.add
      local.tee $l9
      local.get $l9
      i32.load align=1
      return_call_indirect (type $t3)
    end
    block $B1
      block $B2
        local.get $l4
        local.set $l10
        local.get $l5
        i64.extend_i32_u
        local.set $l11
        i32.const 0
        local.set $l12
        i32.const 0
        local.set $l13
        loop $L3
          local.get $l6
          local.get $l7
          local.tee $l14
          i64.add
          local.set $l6
          local.get $l14
          i64.const 1
          i64.sub
          local.tee $l7
          i64.eqz
          i32.eqz
          local.set $l9
          local.get $l8
          i32.const 3
          i32.sub
          local.set $l8
          local.get $l7
          local.set $l15
          local.get $l14
          local.set $l16
          local.get $l6
          local.set $l17
          local.get $l18
          local.tee $l19
          i32.const 1
          i32.add
          local.set $l18
          local.get $l9
          local.tee $l20
          local.get $l19
          i32.const 3
          i32.and
          i32.eqz
          i32.and
          if $I4
            local.get $l8
            i32.const 3
            i32.sub
            i32.const 3
            i32.div_s
            local.tee $l21
            i32.const 1
            i32.gt_s
            if $I5
              block $B6
                loop $L7
                  local.get $l6
                  local.tee $l14
                  local.get $l7
                  local.tee $l22
                  i64.add
                  local.set $l6
                  local.get $l22
                  i64.const 1
                  i64.sub
                  local.set $l7
                  local.get $l8
                  i32.const 3
                  i32.sub
                  local.set $l8
                  local.get $l21
                  i32.const 1
                  i32.sub
                  local.set $l21
                  local.get $l7
                  local.set $l15
                  local.get $l14
                  drop
                  local.get $l22
                  local.set $l16
                  local.get $l6
                  local.set $l17
                  local.get $l7
                  i64.eqz
                  i32.eqz
                  i32.eqz
                  if $I8
                    i32.const 0
                    local.set $l20
                    br $B6
                  end
                  local.get $l21
                  i32.const 0
                  i32.gt_s
                  br_if $L7
                end
              end
            end
          end
          local.get $l15
          local.set $l23
          local.get $l16
          local.set $l24
          local.get $l17
          local.set $l25
          local.get $l20
          if $I9
            local.get $l8
            i32.const 3
            i32.lt_s
            if $I10
              i64.const 131072
              local.set $l26
              br $B2
            end
            local.get $l25
            local.set $l10
            local.get $l24
            local.set $l11
            i32.const 15
            local.set $l12
            i32.const 11
            local.set $l13
            local.get $l23
            local.set $l27
            br $L3
          end
          i64.const 34359803904
          local.set $l26
          br $B2
        end
      end
      local.get $l25
      local.set $l10
      local.get $l24
      local.set $l11
      i32.const 15
      local.set $l12
      i32.const 11
      local.set $l13
      local.get $l23
      local.set $l27
      br $B1
    end
    local.get $l12
    i32.eqz
    if $I11
      local.get $l10
      local.set $l4
      local.get $l11
      i32.wrap_i64
      local.set $l5
    else
      local.get $l10
      local.tee $l4
      local.get $l11
      local.tee $l22
      i64.sub
      local.tee $l14
      local.get $l22
      i64.and
      local.get $l14
      local.get $l22
      i64.or
      local.get $l4
      i64.const -1
      i64.xor
      i64.and
      i64.or
      local.tee $l22
      i64.const 32
      i64.shr_u
      i32.wrap_i64
      i32.const -1073741824
      i32.and
      local.get $l22
      i32.wrap_i64
      i32.const 8
      i32.and
      i32.or
      local.set $l5
    end
    local.get $l13
    if $I12
      local.get $l27
      local.set $l4
      local.get $l27
      i64.const 1
      i64.add
      i64.const -1
      i64.xor
      local.tee $l22
      i64.const 1
      i64.and
      local.get $l22
      i64.const 1
      i64.or
      local.get $l27
      i64.and
      i64.or
      local.tee $l22
      i64.const 32
      i64.shr_u
      i32.wrap_i64
      i32.const -1073741824
      i32.and
      local.get $l22
      i32.wrap_i64
      i32.const 8
      i32.and
      i32.or
      local.tee $l19
      i32.const 1073741823
      i32.and
      local.get $l5
      i32.const 31
      i32.shr_u
      local.tee $l9
      i32.const 31
      i32.shl
      local.get $l9
      local.get $l19
      local.get $l19
      i32.const 1
      i32.shl
      i32.xor
      i32.const 31
      i32.shr_u
      i32.xor
      i32.const 30
      i32.shl
      i32.or
      i32.or
      local.set $l5
    end
    local.get $l2
    local.get $l26
    i64.const 32
    i64.shr_s
    i64.add
    local.set $l2
    local.get $p0
    local.get $l8
    local.get $l26
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.tee $l8
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
    i64.store offset=8 align=1
    local.get $l26
    i32.wrap_i64
    local.tee $l19
    i32.const 16
    i32.shr_u
    i32.const 3
    i32.and
    local.tee $l9
    i32.const 2
    i32.ge_u
    if $I13
      local.get $p1
      i32.load offset=32 align=1
      local.get $l19
      i32.const 18
      i32.shr_u
      i32.const 8
      i32.mul
      i32.add
      local.tee $l19
      i32.load align=1
      local.tee $l28
      if $I14
        local.get $l9
        i32.const 2
        i32.eq
        if $I15
          local.get $p0
          local.get $l28
          local.get $l28
          i32.load align=1
          return_call_indirect (type $t3)
        end
        local.get $l3
        local.get $l2
        i64.const -4096
        i64.and
        local.tee $l22
        i32.wrap_i64
        i32.const 8
        i32.shr_u
        i32.const 65520
        i32.and
        i32.add
        local.tee $l3
        i64.load offset=131072 align=1
        local.get $l22
        i64.eq
        local.get $l22
        i32.wrap_i64
        local.get $l3
        i32.load offset=131080 align=1
        i32.add
        local.get $l19
        i32.load offset=4 align=1
        i32.eq
        i32.and
        if $I16
          local.get $p0
          local.get $l22
          i64.store offset=144 align=1
          local.get $p0
          local.get $l28
          local.get $l28
          i32.load align=1
          return_call_indirect (type $t3)
        end
      end
      local.get $p0
      local.get $l2
      local.get $l19
      return_call $env.goto_link
    end
    local.get $l9
    if $I17
      local.get $p0
      local.get $l2
      return_call $env.goto_interpreter
    end
    local.get $p0
    local.get $l2
    return_call $env.goto
    unreachable)
  (export "r0" (func $r0)))
