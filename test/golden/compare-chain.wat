;; 418 nodes, 24 locals, 1035 bytes
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
  (type $t0 (func (param i32 i64) (result i32)))
  (type $t1 (func (param i32 i64 i32) (result i32)))
  (type $t2 (func (param i32 i32) (result i32)))
  (import "env" "memory" (memory $env.memory 1536 65536 shared))
  (import "env" "handlers" (table $env.handlers 1 funcref))
  (import "env" "goto" (func $env.goto (type $t0)))
  (import "env" "goto_interpreter" (func $env.goto_interpreter (type $t0)))
  (import "env" "goto_link" (func $env.goto_link (type $t1)))
  (func $r0 (type $t2) (param $p0 i32) (param $p1 i32) (result i32)
    (local $l2 i32) (local $l3 i64) (local $l4 i32) (local $l5 i64) (local $l6 i32) (local $l7 i64) (local $l8 i64) (local $l9 i64) (local $l10 i32) (local $l11 i32) (local $l12 i32) (local $l13 i64) (local $l14 i64) (local $l15 i64) (local $l16 i32) (local $l17 i32) (local $l18 i64) (local $l19 i32) (local $l20 i32) (local $l21 i64) (local $l22 i64) (local $l23 i64) (local $l24 i64) (local $l25 i32)
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
    i64.load offset=56 align=1
    local.set $l9
    local.get $l2
    i32.const 14
    i32.lt_s
    if $I0
      local.get $p1
      i32.const 48
      i32.add
      local.set $l10
      local.get $p0
      local.get $l10
      local.get $l10
      i32.load align=1
      return_call_indirect (type $t2)
    end
    block $B1
      block $B2
        block $B3
          block $B4
            block $B5
              block $B6
                local.get $l9
                i32.wrap_i64
                local.set $l11
              end
              block $B7
                local.get $l11
                i32.const 1
                i32.eq
                local.set $l12
              end
              local.get $l2
              i32.const 2
              i32.sub
              local.set $l2
              local.get $l12
              if $I8
                block $B9
                  i64.const 10
                  local.set $l7
                end
                block $B10
                  local.get $l8
                  local.set $l13
                  local.get $l4
                  local.get $l13
                  i32.wrap_i64
                  i32.const 8
                  i32.shr_u
                  i32.const 65520
                  i32.and
                  i32.add
                  local.set $l10
                  local.get $l10
                  i64.load align=1
                  local.get $l13
                  i64.const 7
                  i64.add
                  i64.const -4096
                  i64.and
                  i64.eq
                  i32.eqz
                  if $I11
                    i64.const 111669215233
                    local.set $l14
                    br $B5
                  end
                  local.get $l13
                  i32.wrap_i64
                  local.get $l10
                  i32.load offset=8 align=1
                  i32.add
                  i64.load align=1
                  local.set $l15
                  local.get $l15
                  i64.const 16
                  i64.shl
                  i64.const 16
                  i64.shr_s
                  local.get $l15
                  i64.ne
                  if $I12
                    i64.const 111669215233
                    local.set $l14
                    br $B5
                  end
                  local.get $l8
                  i64.const 8
                  i64.add
                  local.set $l8
                end
                local.get $l2
                i32.const 2
                i32.sub
                local.set $l2
                local.get $l15
                local.set $l3
                i64.const 0
                local.set $l14
                br $B5
              else
                block $B13
                  local.get $l9
                  i32.wrap_i64
                  local.set $l16
                end
                block $B14
                  local.get $l16
                  i32.const 2
                  i32.eq
                  local.set $l17
                end
                local.get $l2
                i32.const 2
                i32.sub
                local.set $l2
                local.get $l17
                if $I15
                  block $B16
                    i64.const 20
                    local.set $l7
                  end
                  block $B17
                    local.get $l8
                    local.set $l13
                    local.get $l4
                    local.get $l13
                    i32.wrap_i64
                    i32.const 8
                    i32.shr_u
                    i32.const 65520
                    i32.and
                    i32.add
                    local.set $l10
                    local.get $l10
                    i64.load align=1
                    local.get $l13
                    i64.const 7
                    i64.add
                    i64.const -4096
                    i64.and
                    i64.eq
                    i32.eqz
                    if $I18
                      i64.const 137439019009
                      local.set $l14
                      br $B4
                    end
                    local.get $l13
                    i32.wrap_i64
                    local.get $l10
                    i32.load offset=8 align=1
                    i32.add
                    i64.load align=1
                    local.set $l18
                    local.get $l18
                    i64.const 16
                    i64.shl
                    i64.const 16
                    i64.shr_s
                    local.get $l18
                    i64.ne
                    if $I19
                      i64.const 137439019009
                      local.set $l14
                      br $B4
                    end
                    local.get $l8
                    i64.const 8
                    i64.add
                    local.set $l8
                  end
                  local.get $l2
                  i32.const 2
                  i32.sub
                  local.set $l2
                  local.get $l18
                  local.set $l3
                  i64.const 0
                  local.set $l14
                  br $B4
                else
                  block $B20
                    local.get $l9
                    i32.wrap_i64
                    local.set $l19
                  end
                  block $B21
                    local.get $l19
                    i32.const 3
                    i32.gt_u
                    local.set $l20
                  end
                  local.get $l2
                  i32.const 2
                  i32.sub
                  local.set $l2
                  local.get $l20
                  if $I22
                    block $B23
                      i64.const 40
                      local.set $l7
                    end
                    block $B24
                      local.get $l8
                      local.set $l9
                      local.get $l4
                      local.get $l9
                      i32.wrap_i64
                      i32.const 8
                      i32.shr_u
                      i32.const 65520
                      i32.and
                      i32.add
                      local.set $l10
                      local.get $l10
                      i64.load align=1
                      local.get $l9
                      i64.const 7
                      i64.add
                      i64.const -4096
                      i64.and
                      i64.eq
                      i32.eqz
                      if $I25
                        i64.const 163208822785
                        local.set $l14
                        br $B3
                      end
                      local.get $l9
                      i32.wrap_i64
                      local.get $l10
                      i32.load offset=8 align=1
                      i32.add
                      i64.load align=1
                      local.set $l21
                      local.get $l21
                      i64.const 16
                      i64.shl
                      i64.const 16
                      i64.shr_s
                      local.get $l21
                      i64.ne
                      if $I26
                        i64.const 163208822785
                        local.set $l14
                        br $B3
                      end
                      local.get $l8
                      i64.const 8
                      i64.add
                      local.set $l8
                    end
                    local.get $l2
                    i32.const 2
                    i32.sub
                    local.set $l2
                    local.get $l21
                    local.set $l3
                    i64.const 0
                    local.set $l14
                    br $B3
                  else
                    block $B27
                      i64.const 30
                      local.set $l7
                    end
                    block $B28
                      local.get $l8
                      local.set $l9
                      local.get $l4
                      local.get $l9
                      i32.wrap_i64
                      i32.const 8
                      i32.shr_u
                      i32.const 65520
                      i32.and
                      i32.add
                      local.set $l4
                      local.get $l4
                      i64.load align=1
                      local.get $l9
                      i64.const 7
                      i64.add
                      i64.const -4096
                      i64.and
                      i64.eq
                      i32.eqz
                      if $I29
                        i64.const 85899411457
                        local.set $l14
                        br $B3
                      end
                      local.get $l9
                      i32.wrap_i64
                      local.get $l4
                      i32.load offset=8 align=1
                      i32.add
                      i64.load align=1
                      local.set $l22
                      local.get $l22
                      i64.const 16
                      i64.shl
                      i64.const 16
                      i64.shr_s
                      local.get $l22
                      i64.ne
                      if $I30
                        i64.const 85899411457
                        local.set $l14
                        br $B3
                      end
                      local.get $l8
                      i64.const 8
                      i64.add
                      local.set $l8
                    end
                    local.get $l2
                    i32.const 2
                    i32.sub
                    local.set $l2
                    local.get $l22
                    local.set $l3
                    i64.const 0
                    local.set $l14
                    br $B3
                  end
                end
              end
            end
            local.get $l11
            i64.extend_i32_u
            local.set $l23
            i64.const 1
            local.set $l24
            br $B2
          end
          local.get $l16
          i64.extend_i32_u
          local.set $l23
          i64.const 2
          local.set $l24
          br $B2
        end
        local.get $l19
        i64.extend_i32_u
        local.set $l23
        i64.const 3
        local.set $l24
        br $B2
      end
      local.get $l23
      i32.wrap_i64
      local.set $l4
      local.get $l24
      i32.wrap_i64
      local.set $l10
      local.get $l4
      local.get $l10
      i32.sub
      local.set $l25
      local.get $l4
      i32.const -1
      i32.xor
      local.set $l4
      local.get $l4
      local.get $l10
      i32.and
      local.get $l4
      local.get $l10
      i32.or
      local.get $l25
      i32.and
      i32.or
      local.set $l10
      local.get $l25
      i64.extend_i32_s
      local.set $l5
      local.get $l10
      i32.const -1073741824
      i32.and
      local.get $l10
      i32.const 8
      i32.and
      i32.or
      local.set $l6
    end
    local.get $l2
    local.get $l14
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.set $l2
    local.get $l3
    local.get $l14
    i64.const 32
    i64.shr_s
    i64.add
    local.set $l9
    local.get $p0
    local.get $l2
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
    local.get $l14
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 3
    i32.and
    if $I31
      local.get $p0
      local.get $l9
      return_call $env.goto_interpreter
    end
    local.get $p0
    local.get $l9
    return_call $env.goto
    unreachable)
  (export "r0" (func $r0)))
