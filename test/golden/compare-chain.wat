;; 400 nodes, 24 locals, 916 bytes
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
    (local $l1 i32) (local $l2 i64) (local $l3 i32) (local $l4 i64) (local $l5 i32) (local $l6 i64) (local $l7 i64) (local $l8 i64) (local $l9 i32) (local $l10 i32) (local $l11 i64) (local $l12 i32) (local $l13 i64) (local $l14 i64) (local $l15 i32) (local $l16 i32) (local $l17 i64) (local $l18 i32) (local $l19 i32) (local $l20 i64) (local $l21 i64) (local $l22 i64) (local $l23 i64) (local $l24 i32)
    local.get $p0
    i32.load offset=168 align=1
    local.set $l1
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
    block $B0
      block $B1
        block $B2
          block $B3
            block $B4
              block $B5
                local.get $l8
                i32.wrap_i64
                local.set $l9
              end
              block $B6
                local.get $l9
                i32.const 1
                i32.eq
                local.set $l10
              end
              local.get $l1
              i32.const 2
              i32.sub
              local.set $l1
              local.get $l10
              if $I7
                block $B8
                  i64.const 10
                  local.set $l6
                end
                block $B9
                  local.get $l7
                  local.set $l11
                  local.get $l3
                  local.get $l11
                  i32.wrap_i64
                  i32.const 8
                  i32.shr_u
                  i32.const 65520
                  i32.and
                  i32.add
                  local.set $l12
                  local.get $l12
                  i64.load align=1
                  local.get $l11
                  i64.const 7
                  i64.add
                  i64.const -4096
                  i64.and
                  i64.eq
                  i32.eqz
                  if $I10
                    i64.const 436273153
                    local.set $l13
                    br $B4
                  end
                  local.get $l11
                  i32.wrap_i64
                  local.get $l12
                  i32.load offset=8 align=1
                  i32.add
                  i64.load align=1
                  local.set $l14
                  local.get $l14
                  i64.const 16
                  i64.shl
                  i64.const 16
                  i64.shr_s
                  local.get $l14
                  i64.ne
                  if $I11
                    i64.const 436273153
                    local.set $l13
                    br $B4
                  end
                  local.get $l7
                  i64.const 8
                  i64.add
                  local.set $l7
                end
                local.get $l1
                i32.const 2
                i32.sub
                local.set $l1
                local.get $l14
                local.set $l2
                i64.const 0
                local.set $l13
                br $B4
              else
                block $B12
                  local.get $l8
                  i32.wrap_i64
                  local.set $l15
                end
                block $B13
                  local.get $l15
                  i32.const 2
                  i32.eq
                  local.set $l16
                end
                local.get $l1
                i32.const 2
                i32.sub
                local.set $l1
                local.get $l16
                if $I14
                  block $B15
                    i64.const 20
                    local.set $l6
                  end
                  block $B16
                    local.get $l7
                    local.set $l11
                    local.get $l3
                    local.get $l11
                    i32.wrap_i64
                    i32.const 8
                    i32.shr_u
                    i32.const 65520
                    i32.and
                    i32.add
                    local.set $l12
                    local.get $l12
                    i64.load align=1
                    local.get $l11
                    i64.const 7
                    i64.add
                    i64.const -4096
                    i64.and
                    i64.eq
                    i32.eqz
                    if $I17
                      i64.const 536936449
                      local.set $l13
                      br $B3
                    end
                    local.get $l11
                    i32.wrap_i64
                    local.get $l12
                    i32.load offset=8 align=1
                    i32.add
                    i64.load align=1
                    local.set $l17
                    local.get $l17
                    i64.const 16
                    i64.shl
                    i64.const 16
                    i64.shr_s
                    local.get $l17
                    i64.ne
                    if $I18
                      i64.const 536936449
                      local.set $l13
                      br $B3
                    end
                    local.get $l7
                    i64.const 8
                    i64.add
                    local.set $l7
                  end
                  local.get $l1
                  i32.const 2
                  i32.sub
                  local.set $l1
                  local.get $l17
                  local.set $l2
                  i64.const 0
                  local.set $l13
                  br $B3
                else
                  block $B19
                    local.get $l8
                    i32.wrap_i64
                    local.set $l18
                  end
                  block $B20
                    local.get $l18
                    i32.const 3
                    i32.gt_u
                    local.set $l19
                  end
                  local.get $l1
                  i32.const 2
                  i32.sub
                  local.set $l1
                  local.get $l19
                  if $I21
                    block $B22
                      i64.const 40
                      local.set $l6
                    end
                    block $B23
                      local.get $l7
                      local.set $l8
                      local.get $l3
                      local.get $l8
                      i32.wrap_i64
                      i32.const 8
                      i32.shr_u
                      i32.const 65520
                      i32.and
                      i32.add
                      local.set $l12
                      local.get $l12
                      i64.load align=1
                      local.get $l8
                      i64.const 7
                      i64.add
                      i64.const -4096
                      i64.and
                      i64.eq
                      i32.eqz
                      if $I24
                        i64.const 637599745
                        local.set $l13
                        br $B2
                      end
                      local.get $l8
                      i32.wrap_i64
                      local.get $l12
                      i32.load offset=8 align=1
                      i32.add
                      i64.load align=1
                      local.set $l20
                      local.get $l20
                      i64.const 16
                      i64.shl
                      i64.const 16
                      i64.shr_s
                      local.get $l20
                      i64.ne
                      if $I25
                        i64.const 637599745
                        local.set $l13
                        br $B2
                      end
                      local.get $l7
                      i64.const 8
                      i64.add
                      local.set $l7
                    end
                    local.get $l1
                    i32.const 2
                    i32.sub
                    local.set $l1
                    local.get $l20
                    local.set $l2
                    i64.const 0
                    local.set $l13
                    br $B2
                  else
                    block $B26
                      i64.const 30
                      local.set $l6
                    end
                    block $B27
                      local.get $l7
                      local.set $l8
                      local.get $l3
                      local.get $l8
                      i32.wrap_i64
                      i32.const 8
                      i32.shr_u
                      i32.const 65520
                      i32.and
                      i32.add
                      local.set $l3
                      local.get $l3
                      i64.load align=1
                      local.get $l8
                      i64.const 7
                      i64.add
                      i64.const -4096
                      i64.and
                      i64.eq
                      i32.eqz
                      if $I28
                        i64.const 335609857
                        local.set $l13
                        br $B2
                      end
                      local.get $l8
                      i32.wrap_i64
                      local.get $l3
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
                      if $I29
                        i64.const 335609857
                        local.set $l13
                        br $B2
                      end
                      local.get $l7
                      i64.const 8
                      i64.add
                      local.set $l7
                    end
                    local.get $l1
                    i32.const 2
                    i32.sub
                    local.set $l1
                    local.get $l21
                    local.set $l2
                    i64.const 0
                    local.set $l13
                    br $B2
                  end
                end
              end
            end
            local.get $l9
            i64.extend_i32_u
            local.set $l22
            i64.const 1
            local.set $l23
            br $B1
          end
          local.get $l15
          i64.extend_i32_u
          local.set $l22
          i64.const 2
          local.set $l23
          br $B1
        end
        local.get $l18
        i64.extend_i32_u
        local.set $l22
        i64.const 3
        local.set $l23
        br $B1
      end
      local.get $l22
      i32.wrap_i64
      local.set $l3
      local.get $l23
      i32.wrap_i64
      local.set $l12
      local.get $l3
      local.get $l12
      i32.sub
      local.set $l24
      local.get $l3
      i32.const -1
      i32.xor
      local.set $l3
      local.get $l3
      local.get $l12
      i32.and
      local.get $l3
      local.get $l12
      i32.or
      local.get $l24
      i32.and
      i32.or
      local.set $l12
      local.get $l24
      i64.extend_i32_s
      local.set $l4
      local.get $l12
      i32.const -1073741824
      i32.and
      local.get $l12
      i32.const 8
      i32.and
      i32.or
      local.set $l5
    end
    local.get $l1
    local.get $l13
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.set $l1
    local.get $p0
    local.get $l2
    local.get $l13
    i64.const 24
    i64.shr_s
    i64.add
    i64.store offset=136 align=1
    local.get $p0
    local.get $l1
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
    i32.const 255
    i32.and
    return
    unreachable)
  (export "region" (func $region)))
