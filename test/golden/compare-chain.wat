;; 354 nodes, 29 locals, 779 bytes
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
    (local $l1 i64) (local $l2 i64) (local $l3 i64) (local $l4 i64) (local $l5 i64) (local $l6 i64) (local $l7 i64) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i64) (local $l12 i64) (local $l13 i64) (local $l14 i64) (local $l15 i64) (local $l16 i32) (local $l17 i32) (local $l18 i32) (local $l19 i32) (local $l20 i32) (local $l21 i32) (local $l22 i32) (local $l23 i32) (local $l24 i32) (local $l25 i32) (local $l26 i32) (local $l27 i32) (local $l28 i32) (local $l29 i32)
    local.get $p0
    i64.load offset=144 align=1
    local.set $l3
    local.get $p0
    i32.load offset=180 align=1
    local.set $l17
    local.get $p0
    i64.load offset=152 align=1
    drop
    local.get $p0
    i32.load offset=160 align=1
    drop
    local.get $p0
    i64.load align=1
    local.set $l4
    local.get $p0
    i64.load offset=32 align=1
    local.set $l1
    block $B0
      block $B1
        block $B2
          block $B3
            local.get $p0
            i32.load offset=168 align=1
            local.tee $l16
            i32.const 2
            i32.sub
            local.set $l16
            local.get $p0
            i64.load offset=56 align=1
            local.tee $l7
            i32.wrap_i64
            local.tee $l19
            i32.const 1
            i32.eq
            if $I4
              i64.const 10
              local.set $l4
              local.get $l17
              local.get $l1
              local.tee $l12
              i32.wrap_i64
              i32.const 8
              i32.shr_u
              i32.const 65520
              i32.and
              i32.add
              local.tee $l20
              i64.load align=1
              local.get $l1
              i64.const 7
              i64.add
              i64.const -4096
              i64.and
              i64.eq
              i32.eqz
              if $I5
                i64.const 436273153
                local.set $l2
                br $B3
              end
              local.get $l12
              i32.wrap_i64
              local.get $l20
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
              if $I6
                i64.const 436273153
                local.set $l2
                br $B3
              end
              local.get $l1
              i64.const 8
              i64.add
              local.set $l1
              local.get $l16
              i32.const 2
              i32.sub
              local.set $l16
              local.get $l8
              local.set $l3
              i64.const 0
              local.set $l2
              br $B3
            else
              local.get $l16
              i32.const 2
              i32.sub
              local.set $l16
              local.get $l7
              i32.wrap_i64
              local.tee $l21
              i32.const 2
              i32.eq
              if $I7
                i64.const 20
                local.set $l4
                local.get $l17
                local.get $l1
                local.tee $l13
                i32.wrap_i64
                i32.const 8
                i32.shr_u
                i32.const 65520
                i32.and
                i32.add
                local.tee $l22
                i64.load align=1
                local.get $l1
                i64.const 7
                i64.add
                i64.const -4096
                i64.and
                i64.eq
                i32.eqz
                if $I8
                  i64.const 536936449
                  local.set $l2
                  br $B2
                end
                local.get $l13
                i32.wrap_i64
                local.get $l22
                i32.load offset=8 align=1
                i32.add
                i64.load align=1
                local.tee $l9
                i64.const 16
                i64.shl
                i64.const 16
                i64.shr_s
                local.get $l9
                i64.ne
                if $I9
                  i64.const 536936449
                  local.set $l2
                  br $B2
                end
                local.get $l1
                i64.const 8
                i64.add
                local.set $l1
                local.get $l16
                i32.const 2
                i32.sub
                local.set $l16
                local.get $l9
                local.set $l3
                i64.const 0
                local.set $l2
                br $B2
              else
                local.get $l16
                i32.const 2
                i32.sub
                local.set $l16
                local.get $l7
                i32.wrap_i64
                local.tee $l23
                i32.const 3
                i32.gt_u
                if $I10
                  i64.const 40
                  local.set $l4
                  local.get $l17
                  local.get $l1
                  local.tee $l14
                  i32.wrap_i64
                  i32.const 8
                  i32.shr_u
                  i32.const 65520
                  i32.and
                  i32.add
                  local.tee $l24
                  i64.load align=1
                  local.get $l1
                  i64.const 7
                  i64.add
                  i64.const -4096
                  i64.and
                  i64.eq
                  i32.eqz
                  if $I11
                    i64.const 637599745
                    local.set $l2
                    br $B1
                  end
                  local.get $l14
                  i32.wrap_i64
                  local.get $l24
                  i32.load offset=8 align=1
                  i32.add
                  i64.load align=1
                  local.tee $l10
                  i64.const 16
                  i64.shl
                  i64.const 16
                  i64.shr_s
                  local.get $l10
                  i64.ne
                  if $I12
                    i64.const 637599745
                    local.set $l2
                    br $B1
                  end
                  local.get $l1
                  i64.const 8
                  i64.add
                  local.set $l1
                  local.get $l16
                  i32.const 2
                  i32.sub
                  local.set $l16
                  local.get $l10
                  local.set $l3
                  i64.const 0
                  local.set $l2
                  br $B1
                else
                  i64.const 30
                  local.set $l4
                  local.get $l17
                  local.get $l1
                  local.tee $l15
                  i32.wrap_i64
                  i32.const 8
                  i32.shr_u
                  i32.const 65520
                  i32.and
                  i32.add
                  local.tee $l25
                  i64.load align=1
                  local.get $l1
                  i64.const 7
                  i64.add
                  i64.const -4096
                  i64.and
                  i64.eq
                  i32.eqz
                  if $I13
                    i64.const 335609857
                    local.set $l2
                    br $B1
                  end
                  local.get $l15
                  i32.wrap_i64
                  local.get $l25
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
                  if $I14
                    i64.const 335609857
                    local.set $l2
                    br $B1
                  end
                  local.get $l1
                  i64.const 8
                  i64.add
                  local.set $l1
                  local.get $l16
                  i32.const 2
                  i32.sub
                  local.set $l16
                  local.get $l11
                  local.set $l3
                  i64.const 0
                  local.set $l2
                  br $B1
                end
                unreachable
              end
              unreachable
            end
            unreachable
          end
          local.get $l19
          i64.extend_i32_u
          local.set $l5
          i64.const 1
          local.set $l6
          br $B0
        end
        local.get $l21
        i64.extend_i32_u
        local.set $l5
        i64.const 2
        local.set $l6
        br $B0
      end
      local.get $l23
      i64.extend_i32_u
      local.set $l5
      i64.const 3
      local.set $l6
      br $B0
    end
    local.get $p0
    local.get $l3
    local.get $l2
    i64.const 24
    i64.shr_s
    i64.add
    i64.store offset=136 align=1
    local.get $p0
    local.get $l16
    local.get $l2
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.tee $l16
    i32.store offset=168 align=1
    local.get $p0
    local.get $l5
    i32.wrap_i64
    local.tee $l26
    local.get $l6
    i32.wrap_i64
    local.tee $l18
    i32.sub
    local.tee $l27
    i64.extend_i32_s
    i64.store offset=152 align=1
    local.get $p0
    local.get $l26
    i32.const -1
    i32.xor
    local.tee $l28
    local.get $l18
    i32.and
    local.get $l28
    local.get $l18
    i32.or
    local.get $l27
    i32.and
    i32.or
    local.tee $l29
    i32.const -1073741824
    i32.and
    local.get $l29
    i32.const 8
    i32.and
    i32.or
    i32.store offset=160 align=1
    local.get $p0
    local.get $l4
    i64.store align=1
    local.get $p0
    local.get $l1
    i64.store offset=32 align=1
    local.get $l2
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 255
    i32.and
    return)
  (export "region" (func $region)))
